import type { Digest } from '#domain/canonical/digest.ts';
import { digestOfRows } from '#domain/data/event-json.ts';
import { addDays } from '#domain/data/partition.ts';
import type { ModelDefinition } from '#domain/model/definition.ts';
import type { Pointer } from '#domain/promotion/pointer.ts';
import type { NamedRelease } from '#domain/promotion/traffic.ts';
import { refusal, type Refusal } from '#domain/refusal/refusal.ts';
import type { EventRow } from '#ports/online-features.ts';
import { type Champion, dayOf } from './champion.ts';
import type { ReadRows } from './event-rows.ts';
import {
  type InferenceRequest,
  type InferenceResponse,
  OUTPUT_NAMES,
  type OutputName,
  type Receipt,
} from './protocol.ts';
import type { Refused } from './release.ts';

/** By what receipts and the log name events, in the order of a request, and the rows of its context. */
export interface RequestDigests {
  readonly events: readonly Digest[];
  readonly context: Digest;
}

/** What a request was answered, and from what: all that a log needs to compute it again. */
export interface Answer {
  readonly kind: 'answered';
  readonly day: string;
  readonly events: readonly EventRow[];
  /** The context that was used. */
  readonly context: readonly EventRow[];
  readonly probabilities: readonly number[];
  readonly digests: RequestDigests;
  /** The list of daily aggregates, and its newest day that was used; undefined where the model has none. */
  readonly aggregates: Digest | undefined;
  readonly aggregatesUntil: string | undefined;
}

/** Answers a request by the release that it has a lease of. @param rows what was read of the request by the release's definition */
export async function answer(
  { lease }: Pick<Champion, 'lease'>,
  request: InferenceRequest,
  rows: ReadRows,
  now: Date,
): Promise<Answer | Refused> {
  const { definition, online, model } = lease.value;
  const outputs = wantedOutputs(request);
  if ('rule' in outputs) return { kind: 'refused', refusal: outputs };
  if (rows.kind === 'refused') return rows;
  const { events } = rows;
  const served = lease.value.servedDays(dayOf(now));
  const day = dayOfRequest(definition, events, online.maxRows, served);
  if (typeof day !== 'string') return { kind: 'refused', refusal: day };
  const context = contextOf(definition, rows.context, day);
  const repeated = repeatedId(definition, [...events, ...context]);
  if (repeated !== undefined) return { kind: 'refused', refusal: repeated };
  const found = await lease.value.featuresOf(day);
  if (found.kind === 'refused') return found;
  try {
    const features = await found.lease.value.engine.featuresOf({ events, context });
    if (features.kind === 'refused') return features;
    const probabilities = await model.predict(features.rows);
    const { list: aggregates, until: aggregatesUntil } = found.lease.value;
    const digests = digestsOf(events, context);
    return { kind: 'answered', day, events, context, probabilities, digests, aggregates, aggregatesUntil };
  } finally {
    await found.lease.end();
  }
}

/** Answers the golden request of a release, by nothing that is published: it is no prediction, and nothing of it is kept. */
export async function answerGolden(
  { pointer, named, lease }: Omit<Champion, 'kind'>,
  request: InferenceRequest,
): Promise<{ readonly kind: 'golden'; readonly response: InferenceResponse } | Refused> {
  const outputs = wantedOutputs(request);
  if ('rule' in outputs) return { kind: 'refused', refusal: outputs };
  const answer = await lease.value.golden();
  if (answer === undefined) {
    const found = `${named.release} has no golden-request.json`;
    return { kind: 'refused', refusal: refusal('golden-request-held', found) };
  }
  if (answer.kind === 'refused') return answer;
  const { events, context, probabilities, until = '', difference } = answer;
  const about = {
    aggregates: '',
    aggregates_until: until,
    golden: true as const,
    golden_matches: difference === undefined,
  };
  return {
    kind: 'golden',
    response: responseOf({ pointer, named, about, request, digests: digestsOf(events, context), probabilities }),
  };
}

function wantedOutputs({ outputs }: InferenceRequest): readonly OutputName[] | Refusal {
  if (outputs === undefined) return OUTPUT_NAMES;
  const unknown = outputs.find(({ name }) => !OUTPUT_NAMES.some((each) => each === name));
  if (unknown !== undefined) return refusal('outputs-known', `output ${unknown.name} is none of the model's`);
  return OUTPUT_NAMES.filter((name) => outputs.some((each) => each.name === name));
}

/** The one day of the events of a request, or why they are not served. */
function dayOfRequest(
  { events: { time } }: ModelDefinition,
  events: readonly EventRow[],
  maxRows: number,
  served: readonly string[],
): string | Refusal {
  if (events.length === 0 || events.length > maxRows) {
    const found = `the request has ${events.length} rows`;
    return refusal('rows-per-request', found, `send 1 to ${maxRows} rows per request`);
  }
  const days = new Set(events.map((event) => dayOfEvent(event, time)));
  const [day = '', other] = days;
  if (other !== undefined) return refusal('events-of-one-day', `input ${time} is of ${day} and of ${other}`);
  if (served.includes(day)) return day;
  return refusal('event-day-served', `input ${time} is of ${day}; served are ${served.toSorted().join(', ')}`);
}

/** The context that a batch would see as well: an event of another day than it reads would make other features. */
function contextOf(
  { events: { time }, features }: ModelDefinition,
  context: readonly EventRow[],
  day: string,
): readonly EventRow[] {
  const first = addDays(day, -features.eventDays);
  return context.filter((event) => dayOfEvent(event, time) >= first && dayOfEvent(event, time) <= day);
}

function repeatedId({ events: { id } }: ModelDefinition, rows: readonly EventRow[]): Refusal | undefined {
  const seen = new Set<unknown>();
  for (const row of rows) {
    if (seen.has(row[id])) return refusal('request-ids-unique', `input ${id}: ${String(row[id])} is there twice`);
    seen.add(row[id]);
  }
  return undefined;
}

/** TIMESTAMP is text in UTC, and begins with its day. */
function dayOfEvent(event: EventRow, time: string): string {
  return String(event[time]).slice(0, 10);
}

/** The body of an answer, by whatever arm; it has the outputs that the request wants. */
export function responseOf(of: {
  readonly pointer: Pointer;
  readonly named: NamedRelease;
  /** What the receipt says beside the release and the context. */
  readonly about: Pick<Receipt, 'aggregates' | 'aggregates_until' | 'golden' | 'golden_matches' | 'fallback_from'>;
  readonly request: InferenceRequest;
  readonly digests: RequestDigests;
  readonly probabilities: readonly number[];
}): InferenceResponse {
  const { pointer, named, about, request, digests, probabilities } = of;
  const shape: [number] = [digests.events.length];
  const outputs = wantedOutputs(request);
  return {
    model_name: pointer.model,
    model_version: named.version,
    ...(request.id === undefined ? {} : { id: request.id }),
    parameters: {
      model: pointer.model,
      version: named.version,
      digest: named.release,
      arm: named.arm,
      pointer_seq: pointer.seq,
      epoch: pointer.epoch,
      ...about,
      context_digest: digests.context,
    },
    outputs: ('rule' in outputs ? [] : outputs).map((name) =>
      name === 'probability'
        ? { name, datatype: 'FP64', shape, data: [...probabilities] }
        : { name, datatype: 'BYTES', shape, data: [...digests.events] },
    ),
  };
}

function digestsOf(events: readonly EventRow[], context: readonly EventRow[]): RequestDigests {
  return { events: events.map((event) => digestOfRows(event)), context: digestOfRows(context) };
}
