import {
  BrokenCircuitError,
  circuitBreaker,
  CircuitState,
  ConsecutiveBreaker,
  handleWhen,
  TaskCancelledError,
  timeout,
  TimeoutStrategy,
  wrap,
} from 'cockatiel';
import { isDependencyFault } from '#domain/alarm/attribution.ts';
import { GatehouseError } from '#domain/error.ts';
import type { Serving } from './champion.ts';

/** The look-ups that each have a circuit, and the milliseconds that one may take: objects may have hundreds of megabytes. */
const LOOK_UPS = { ledger: 6_000, artifacts: 15_000, aggregates: 10_000, lake: 15_000 } as const;
export type LookUp = keyof typeof LOOK_UPS;

/** Faults of a look-up, one after the other, that open its circuit: a release is loaded by several at once. */
export const FAULTS_TO_OPEN = 5;
/** Milliseconds after which an open circuit tries one look-up; the clock is read by the look-up that comes then, and no timer runs. */
export const OPEN_MS = 10_000;

/** What each circuit lets through: all, nothing, or one look-up whose outcome decides. */
export type CircuitStates = Readonly<Record<LookUp, 'closed' | 'open' | 'half-open'>>;

type Guarded = Pick<Serving, 'ledger' | 'artifacts' | 'aggregates' | 'lake'>;

/**
 * What an endpoint looks up, by circuits: a dependency that hangs takes a look-up's time and no more, and one that keeps failing is not
 * tried by each request. What it answers, though it be a damaged artifact, is no fault of it. Nothing is kept here that was looked up: what may be
 * answered while a circuit is open is what may be answered from what is loaded.
 */
export function withCircuits(deps: Guarded): { readonly guarded: Guarded; readonly states: () => CircuitStates } {
  const circuits = {
    ledger: circuit('ledger'),
    artifacts: circuit('artifacts'),
    aggregates: circuit('aggregates'),
    lake: circuit('lake'),
  };
  const { ledger, artifacts, aggregates, lake } = circuits;
  return {
    guarded: {
      ledger: {
        get: (key) => ledger.run(() => deps.ledger.get(key)),
        getMany: (keys) => ledger.run(() => deps.ledger.getMany(keys)),
        query: (pk, range) => ledger.run(() => deps.ledger.query(pk, range)),
      },
      artifacts: { read: (digest) => artifacts.run(() => deps.artifacts.read(digest)) },
      aggregates: { read: (model, basis) => aggregates.run(() => deps.aggregates.read(model, basis)) },
      lake: { fetch: (...given) => lake.run(() => deps.lake.fetch(...given)) },
    },
    states: () => ({
      ledger: ledger.state(),
      artifacts: artifacts.state(),
      aggregates: aggregates.state(),
      lake: lake.state(),
    }),
  };
}

type Outcome<T> =
  | { readonly kind: 'found'; readonly value: T }
  | { readonly kind: 'answered'; readonly error: unknown };

function circuit(lookUp: LookUp) {
  const milliseconds = LOOK_UPS[lookUp];
  const isFault = (error: unknown): boolean => error instanceof TaskCancelledError || isDependencyFault(error);
  const breaker = circuitBreaker(handleWhen(isFault), {
    halfOpenAfter: OPEN_MS,
    breaker: new ConsecutiveBreaker(FAULTS_TO_OPEN),
  });
  // Aggressive: what hangs does not look whether it was cancelled.
  const policy = wrap(breaker, timeout(milliseconds, TimeoutStrategy.Aggressive));
  return {
    async run<T>(work: () => Promise<T>): Promise<T> {
      let outcome: Outcome<T>;
      try {
        outcome = await policy.execute(async (): Promise<Outcome<T>> => {
          try {
            return { kind: 'found', value: await work() };
          } catch (error) {
            // It has answered, and what it says ends a row of faults.
            if (!isFault(error)) return { kind: 'answered', error };
            throw error;
          }
        });
      } catch (error) {
        if (error instanceof BrokenCircuitError) {
          const found = `the circuit of ${lookUp} is open after ${FAULTS_TO_OPEN} faults in a row; one look-up is tried ${OPEN_MS / 1000} s later`;
          throw new GatehouseError('DEPENDENCY_OPEN', found, { lookUp });
        }
        if (error instanceof TaskCancelledError)
          throw new GatehouseError('DEPENDENCY_SILENT', `${lookUp} did not answer in ${milliseconds / 1000} s`, {
            lookUp,
          });
        throw error;
      }
      if (outcome.kind === 'answered') throw outcome.error;
      return outcome.value;
    },
    state(): CircuitStates[LookUp] {
      if (breaker.state === CircuitState.Closed) return 'closed';
      return breaker.state === CircuitState.HalfOpen ? 'half-open' : 'open';
    },
  };
}
