import { rowToJson } from '#domain/data/event-json.ts';
import type { ModelDefinition } from '#domain/model/definition.ts';
import type { LoggedRequest, RequestEvents } from '#domain/prediction/request-log.ts';
import type { Pointer } from '#domain/promotion/pointer.ts';
import type { NamedRelease } from '#domain/promotion/traffic.ts';
import type { Answer } from './answer.ts';

/** What an answer was made from and what came of it, as the request log has it: whichever function has made it. */
export type Made = Pick<LoggedRequest, 'day' | 'aggregates' | 'aggregatesUntil' | 'context' | 'events'>;

/** What an answer was made from, and its raw events. */
export function madeOf(
  { events: { id } }: ModelDefinition,
  { day, events, context, probabilities, digests, aggregates, aggregatesUntil }: Answer,
): { readonly made: Made; readonly raw: RequestEvents } {
  const made: Made = {
    day,
    aggregates: aggregates ?? null,
    aggregatesUntil: aggregatesUntil ?? null,
    context: digests.context,
    events: digests.events.map((digest, index) => ({
      id: String(events[index]?.[id]),
      digest,
      probability: probabilities[index] ?? Number.NaN,
    })),
  };
  return { made, raw: { events: events.map(rowToJson), context: context.map(rowToJson) } };
}

/** What the request log keeps of an answer. */
export function entryOf(
  { pointer, named }: { readonly pointer: Pointer; readonly named: NamedRelease },
  made: Made,
  {
    assigned,
    armFailure,
  }: { readonly assigned: LoggedRequest['arm']; readonly armFailure: LoggedRequest['armFailure'] },
  call: { readonly id: string; readonly startedAt: Date; readonly endedAt: Date },
): LoggedRequest {
  return {
    formatVersion: 1,
    request: call.id,
    model: pointer.model,
    version: named.version,
    release: named.release,
    arm: assigned,
    armFailure,
    epoch: pointer.epoch,
    pointerSeq: pointer.seq,
    ...made,
    startedAt: call.startedAt.toISOString(),
    // A clock that was set back measures nothing.
    milliseconds: Math.max(0, call.endedAt.getTime() - call.startedAt.getTime()),
  };
}
