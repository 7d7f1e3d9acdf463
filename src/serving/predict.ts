import type { LoggedRequest, RequestEvents } from '#domain/prediction/request-log.ts';
import { assignedArm, championOf, planInForce, releaseOf } from '#domain/promotion/traffic.ts';
import { refusal } from '#domain/refusal/refusal.ts';
import type { EventRow } from '#ports/online-features.ts';
import { answer, responseOf } from './answer.ts';
import type { Answered, ArmCalls, ArmFailure, Asked } from './arm-calls.ts';
import type { Champion, Serving } from './champion.ts';
import { readRows } from './event-rows.ts';
import { entryOf, type Made, madeOf } from './log-entry.ts';
import type { Seen } from './measure.ts';
import { answered, type EndpointResponse, type InferenceRequest, refused } from './protocol.ts';

/** A request for predictions that could be read. */
export interface Prediction {
  readonly request: InferenceRequest;
  /** The request as it came. */
  readonly body: Uint8Array;
  /** Whether it names the version that is to answer. */
  readonly isPinned: boolean;
}

/**
 * Answers a request for predictions by the arm that it is assigned to, or by the champion where that arm cannot: whoever calls is
 * answered as long as the champion can answer. Each answer is logged before it is given.
 */
export async function predict(
  deps: Pick<Serving, 'clock' | 'log'>,
  arms: ArmCalls,
  champion: Champion,
  prediction: Prediction,
  seen: Seen,
): Promise<EndpointResponse> {
  const { request } = prediction;
  const { pointer, lease } = champion;
  const { definition } = lease.value;
  seen.slowAboveMs = champion.slowAboveMs;
  const rows = readRows(definition, request);
  const events = rows.kind === 'read' ? rows.events : [];
  const [first] = events;
  const idOf = (event: EventRow): string => String(event[definition.events.id]);
  if (first !== undefined) seen.first = { event: idOf(first), pointerSeq: pointer.seq };

  const given = async (
    named: Champion['named'],
    made: Made,
    raw: RequestEvents,
    armFailure: LoggedRequest['armFailure'],
  ): Promise<EndpointResponse> => {
    const endedAt = deps.clock.now();
    seen.endedAt = endedAt;
    const call = { id: seen.id, startedAt: seen.startedAt, endedAt };
    try {
      await deps.log.write(entryOf({ pointer, named }, made, { assigned: seen.arm, armFailure }, call), raw);
    } catch (fault) {
      return refused(refusal('answer-logged', fault instanceof Error ? fault.message : String(fault)), fault);
    }
    const { aggregates, aggregatesUntil, context } = made;
    const about = {
      aggregates: aggregates ?? '',
      aggregates_until: aggregatesUntil ?? '',
      ...(armFailure === null || seen.arm === 'champion' ? {} : { fallback_from: seen.arm }),
    };
    const digests = { events: made.events.map(({ digest }) => digest), context };
    const probabilities = made.events.map(({ probability }) => probability);
    return answered(responseOf({ pointer, named, about, request, digests, probabilities }));
  };

  // Who names a version gets that one.
  const asked =
    prediction.isPinned || first === undefined ? undefined : askedOf(deps, champion, prediction, seen, first);
  let failure: ArmFailure | undefined;
  if (asked !== undefined) {
    seen.arm = asked.named.arm;
    const outcome: Answered | ArmFailure = await arms.ask({ ...asked, events: events.map(idOf) });
    if (outcome.kind === 'answered') return await given(asked.named, outcome.made, outcome.raw, null);
    failure = outcome;
  }
  seen.armFailure = failure;
  const result = await answer(champion, request, rows, seen.startedAt);
  if (result.kind === 'refused') {
    const response = refused(result.refusal, result.fault);
    // What is wrong in the request is no fault of an arm.
    if (response.status < 500) seen.armFailure = undefined;
    return response;
  }
  const { made, raw } = madeOf(definition, result);
  return await given(championOf(pointer), made, raw, failure ?? null);
}

/** What an arm is asked for; undefined where the champion answers. */
function askedOf(
  { clock }: Pick<Serving, 'clock'>,
  { pointer, lease }: Champion,
  { body }: Prediction,
  { id, startedAt }: Seen,
  first: EventRow,
): Omit<Asked, 'events'> | undefined {
  const now = clock.now();
  const plan = planInForce(pointer, now);
  if (plan === undefined) return undefined;
  const { events: columns } = lease.value.definition;
  const entity = first[columns.entity] ?? null;
  const by = { event: String(first[columns.id]), entity: entity === null ? null : String(entity) };
  const arm = assignedArm(pointer, by, now);
  const named = arm === 'champion' ? undefined : releaseOf(pointer, arm, now);
  if (arm === 'champion' || named === undefined) return undefined;
  const call = {
    formatVersion: 1,
    id,
    pointerSeq: pointer.seq,
    startedAt: startedAt.toISOString(),
    body: new TextDecoder().decode(body),
  } as const;
  return { plan, named: { ...named, arm }, call };
}
