import { z } from 'zod';
import { Arm } from '../canary/counts.ts';
import { Digest } from '../canonical/digest.ts';
import { Day, ModelName } from '../model/definition.ts';

/** The word that marks a line of an endpoint's log as one of the request log: what its subscription filters by. */
export const REQUEST_LOGGED = 'REQUEST_LOGGED';

/** Where the lake keeps raw events of requests, of whatever model: what lies there expires. */
export const RAW_EVENTS = 'request-events/';

/** A request whose predictions were answered: its receipt, and the probability that each of its events got. */
export const LoggedRequest = z.strictObject({
  formatVersion: z.literal(1),
  /** The host's name of the call. */
  request: z.string().min(1),
  model: ModelName,
  version: z.string(),
  release: Digest,
  /** The arm that the request was assigned to; the release above is what answered. */
  arm: Arm,
  /** Why the champion answered for its arm: it failed, or did not answer in its time. */
  armFailure: z
    .strictObject({ kind: z.enum(['failed', 'late']), cause: z.string().max(200) })
    .nullable()
    .default(null),
  epoch: z.int(),
  pointerSeq: z.int(),
  /** The list of daily aggregates, and its newest day that was used; null where the model has none. */
  aggregates: Digest.nullable(),
  aggregatesUntil: Day.nullable(),
  context: Digest,
  /** The day of the events. */
  day: Day,
  startedAt: z.iso.datetime(),
  /** From the request's arrival until its predictions were there. */
  milliseconds: z.number().nonnegative(),
  events: z.array(z.strictObject({ id: z.string(), digest: Digest, probability: z.number() })).min(1),
});
export type LoggedRequest = z.infer<typeof LoggedRequest>;

/**
 * A request for predictions that nobody answered, though its events could be read: what keeps the arms comparable when everything fails. The arm is
 * the one that it was assigned to.
 */
export const FailedRequest = z.strictObject({
  formatVersion: z.literal(1),
  request: z.string().min(1),
  model: ModelName,
  arm: Arm,
  pointerSeq: z.int(),
  /** The id of its first event, by which it counts once however often it is tried. */
  event: z.string(),
  /** The rule by which it was refused. */
  rule: z.string().min(1),
  startedAt: z.iso.datetime(),
});
export type FailedRequest = z.infer<typeof FailedRequest>;

const JsonRow = z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]));

/** The raw events of a request, in its order, and the context that was used. */
export const RequestEvents = z.strictObject({ events: z.array(JsonRow), context: z.array(JsonRow) });
export type RequestEvents = z.infer<typeof RequestEvents>;

/** What is logged of a request; without its raw events where the model keeps none. */
export const RequestEntry = z.strictObject({ request: LoggedRequest, raw: RequestEvents.nullable() });
export type RequestEntry = z.infer<typeof RequestEntry>;

/** What is logged of a request that nobody answered. */
export const FailedEntry = z.strictObject({ failed: FailedRequest });
export type FailedEntry = z.infer<typeof FailedEntry>;

const MINUTE = 60_000;
/** Minutes that a line of the log may take from the endpoint to the lake. */
const DELIVERY_MINUTES = 2;

/** The minute of a moment, as files of the log are named by it: `2026-11-30T0412Z`. */
export function minuteOf(at: string): string {
  return `${new Date(at).toISOString().slice(0, 16).replace(':', '')}Z`;
}

/** The moment before which the log is whole: each minute is closed some minutes after its end, two where nothing else is said. */
export function closedUntil(now: Date, afterMinutes = DELIVERY_MINUTES): Date {
  return new Date(Math.floor(now.getTime() / MINUTE) * MINUTE - afterMinutes * MINUTE);
}

/** One answer of the log: an event of a request. */
export interface LoggedAnswer {
  readonly request: LoggedRequest;
  readonly event: LoggedRequest['events'][number];
}

/**
 * The answers that count: of each event the first one, whoever asked for it again. Lines that were delivered twice are one.
 */
export function countedAnswers(requests: readonly LoggedRequest[]): readonly LoggedAnswer[] {
  const inOrder = requests.toSorted((a, b) => compare(a.startedAt, b.startedAt) || compare(a.request, b.request));
  const first = new Map<string, LoggedAnswer>();
  for (const request of inOrder)
    for (const event of request.events) if (!first.has(event.id)) first.set(event.id, { request, event });
  return [...first.values()];
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
