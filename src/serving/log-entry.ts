import { rowToJson } from '#domain/data/event-json.ts';
import type { LoggedRequest, RequestEvents } from '#domain/prediction/request-log.ts';
import type { Answer } from './answer.ts';
import type { Champion } from './champion.ts';

/** What the request log keeps of an answer. */
export function entryOf(
  { pointer, lease }: Omit<Champion, 'kind'>,
  { day, events, context, probabilities, digests, aggregates, aggregatesUntil }: Answer,
  call: { readonly id: string; readonly startedAt: Date; readonly endedAt: Date },
): { readonly request: LoggedRequest; readonly raw: RequestEvents } {
  const { id } = lease.value.definition.events;
  const request: LoggedRequest = {
    formatVersion: 1,
    request: call.id,
    model: pointer.model,
    version: pointer.version,
    release: pointer.current,
    arm: 'champion',
    armFailure: null,
    epoch: pointer.epoch,
    pointerSeq: pointer.seq,
    aggregates: aggregates ?? null,
    aggregatesUntil: aggregatesUntil ?? null,
    context: digests.context,
    day,
    startedAt: call.startedAt.toISOString(),
    // A clock that was set back measures nothing.
    milliseconds: Math.max(0, call.endedAt.getTime() - call.startedAt.getTime()),
    events: digests.events.map((digest, index) => ({
      id: String(events[index]?.[id]),
      digest,
      probability: probabilities[index] ?? Number.NaN,
    })),
  };
  return { request, raw: { events: events.map(rowToJson), context: context.map(rowToJson) } };
}
