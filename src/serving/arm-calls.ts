import {
  BrokenCircuitError,
  circuitBreaker,
  type CircuitBreakerPolicy,
  ConsecutiveBreaker,
  handleType,
  TaskCancelledError,
  timeout,
  TimeoutStrategy,
} from 'cockatiel';
import { digestOfRows } from '#domain/data/event-json.ts';
import { issueMessages, issueText } from '#domain/issues.ts';
import type { LoggedRequest } from '#domain/prediction/request-log.ts';
import type { TrafficPlan } from '#domain/promotion/pointer.ts';
import type { CalledArm, NamedRelease } from '#domain/promotion/traffic.ts';
import type { ArmCaller } from '#ports/arms.ts';
import { ArmAnswer, type ArmCall } from './arm-protocol.ts';
import { FAULTS_TO_OPEN, OPEN_MS } from './circuits.ts';

/** What was answered by an arm. */
export type Answered = Extract<ArmAnswer, { kind: 'answered' }>;
/** Why an arm has not answered. */
export type ArmFailure = NonNullable<LoggedRequest['armFailure']>;

/** What an arm is asked for, and what its answer must fit. */
export interface Asked {
  readonly plan: TrafficPlan;
  readonly named: NamedRelease & { readonly arm: CalledArm };
  readonly call: ArmCall;
  /** The ids of the request's events, in their order. */
  readonly events: readonly string[];
}

/** Asks the arms of an endpoint. */
export interface ArmCalls {
  /** What an arm answers, or why it does not, within the plan's budget; nothing is thrown. */
  ask(asked: Asked): Promise<Answered | ArmFailure>;
}

/** Thrown and caught in this file only: what a circuit counts. */
class ArmFault extends Error {
  readonly failure: ArmFailure;

  constructor(failure: ArmFailure) {
    super(failure.cause);
    this.failure = failure;
  }
}

/** How Lambda refuses a call for which the account has no room. */
const THROTTLED = new Set(['TooManyRequestsException', 'ThrottlingException']);

/** The most characters that the log takes of a cause. */
const LONGEST_CAUSE = 200;

/**
 * Calls arms by a circuit for each: one that keeps failing is not called by each request, and costs none of them its time. A circuit is of one plan: what
 * another candidate did is no fault of this one.
 */
export function armCalls(caller: ArmCaller): ArmCalls {
  const circuits = new Map<CalledArm, Circuit>();
  return {
    async ask(asked) {
      const { plan, named } = asked;
      const of = `${plan.promotion} ${plan.candidate}`;
      const known = circuits.get(named.arm);
      const circuit: Circuit = known?.of === of ? known : { of, breaker: breakerOf(), last: 'failed' };
      circuits.set(named.arm, circuit);
      try {
        return await circuit.breaker.execute(() => called(caller, asked));
      } catch (error) {
        const failure = failureOf(error, circuit);
        circuit.last = failure.kind;
        return failure;
      }
    },
  };
}

interface Circuit {
  /** The plan and the candidate whose circuit it is. */
  readonly of: string;
  readonly breaker: CircuitBreakerPolicy;
  /** What the newest fault was: a circuit that late answers have opened makes them no errors. */
  last: ArmFailure['kind'];
}

function breakerOf(): CircuitBreakerPolicy {
  return circuitBreaker(handleType(ArmFault), {
    halfOpenAfter: OPEN_MS,
    breaker: new ConsecutiveBreaker(FAULTS_TO_OPEN),
  });
}

function failureOf(error: unknown, circuit: Circuit): ArmFailure {
  if (error instanceof ArmFault) return error.failure;
  if (error instanceof BrokenCircuitError)
    return { kind: circuit.last, cause: `the circuit is open after ${FAULTS_TO_OPEN} faults in a row` };
  return failed(error instanceof Error ? error.message : String(error));
}

/** One call within the budget. What is late is ended: nothing of it runs on when the champion has answered. */
async function called(caller: ArmCaller, asked: Asked): Promise<Answered | ArmFailure> {
  const { plan, named, call } = asked;
  const late = { kind: 'late', cause: `no answer within ${plan.armMs} ms` } as const;
  // Aggressive: a call that does not look whether it was ended takes no more time either.
  const budget = timeout(plan.armMs, TimeoutStrategy.Aggressive);
  let answer: unknown;
  try {
    answer = await budget.execute(async ({ signal }) => {
      try {
        return await caller.call(named.arm, call, signal);
      } catch (error) {
        throw signal.aborted ? new ArmFault(late) : error;
      }
    });
  } catch (error) {
    if (error instanceof ArmFault) throw error;
    if (error instanceof TaskCancelledError) throw new ArmFault(late);
    const cause = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    // An account without room has kept the arm from answering in its time; the release has failed nothing.
    if (error instanceof Error && THROTTLED.has(error.name))
      throw new ArmFault({ kind: 'late', cause: cause.slice(0, LONGEST_CAUSE) });
    throw new ArmFault(failed(cause));
  }
  return judged(answer, asked);
}

/** What came back, if it fits what was asked for. What a function says that runs a model nobody has released yet is taken for nothing else. */
function judged(answer: unknown, { named, events }: Asked): Answered | ArmFailure {
  const parsed = ArmAnswer.safeParse(answer, { error: issueMessages });
  if (!parsed.success) {
    const [first] = parsed.error.issues;
    const what = first === undefined ? 'another shape' : `${first.path.join('.')}: ${issueText(first)}`;
    throw new ArmFault(failed(`an answer of another shape: ${what}`));
  }
  const { data } = parsed;
  if (data.kind === 'refused') {
    // What is wrong in the request is no fault of the arm: the champion says whether it is. What was found may hold values of its events.
    const { status, refusal } = data;
    if (status < 500) return failed(`${status} ${refusal.rule}`);
    throw new ArmFault(failed(`${status} ${refusal.rule}: ${refusal.found}`));
  }
  const { release, made, raw } = data;
  if (release !== named.release) throw new ArmFault(failed(`${release} answers, the pointer names ${named.release}`));
  const isOfRequest =
    made.events.length === events.length && made.events.every(({ id }, index) => id === events[index]);
  if (!isOfRequest) throw new ArmFault(failed('the answer is of other events'));
  const isOfRaw =
    made.context === digestOfRows(raw.context) &&
    raw.events.length === events.length &&
    made.events.every(({ digest }, index) => digest === digestOfRows(raw.events[index] ?? {}));
  if (!isOfRaw) throw new ArmFault(failed('raw events do not hash to their digests'));
  return data;
}

function failed(cause: string): ArmFailure {
  return { kind: 'failed', cause: cause.slice(0, LONGEST_CAUSE) };
}
