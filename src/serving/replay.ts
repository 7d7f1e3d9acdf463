import { digestOf } from '#domain/canonical/digest.ts';
import { type JsonRow, rowFromJson } from '#domain/data/event-json.ts';
import type { ModelDefinition } from '#domain/model/definition.ts';
import { type AggregateDays, aggregatesFor, AggregatesList } from '#domain/prediction/aggregates.ts';
import type { LoggedRequest } from '#domain/prediction/request-log.ts';
import { refusalText } from '#domain/refusal/refusal.ts';
import type { ReadableStore } from '#ports/artifact-store.ts';
import { readDocument } from '#ports/documents.ts';
import type { EventRow } from '#ports/online-features.ts';
import type { StoredRequests } from '#ports/request-log.ts';
import { type DayFeatures, type LoadedRelease, type Loading, loadRelease } from './release.ts';

export interface Replaying extends Omit<Loading, 'aggregates'> {
  /** Documents of the lake: lists of daily aggregates. */
  readonly documents: ReadableStore;
}

/** A logged request that was answered again. */
export interface ReplayedRequest {
  readonly request: LoggedRequest;
  /** What it was answered from; undefined where that is not kept. */
  readonly made:
    | {
        readonly definition: ModelDefinition;
        readonly events: readonly EventRow[];
        readonly context: readonly EventRow[];
        /** The daily aggregates that its features looked back on. */
        readonly aggregates: AggregateDays;
      }
    | undefined;
  readonly outcome:
    | { readonly kind: 'computed'; readonly probabilities: readonly number[] }
    /** Its raw events are not kept, or not any more. */
    | { readonly kind: 'not-kept' }
    /** What its receipt names does not answer it. */
    | { readonly kind: 'impossible'; readonly reason: string };
}

/**
 * Answers logged requests again, by the code that endpoints run: from the release, the daily aggregates, the context and the events
 * that their receipts name, each hashed again. @throws GatehouseError what reading a release and its aggregates throws
 */
export async function replayRequests(
  deps: Replaying,
  { requests, raw }: StoredRequests,
  onDone: (done: number) => void = () => undefined,
): Promise<readonly ReplayedRequest[]> {
  const replayed: ReplayedRequest[] = [];
  const groups = Map.groupBy(requests, ({ release, aggregates, day }) => JSON.stringify([release, aggregates, day]));
  for (const group of groups.values()) {
    const [first] = group;
    if (first === undefined) continue;
    const { release: digest, aggregates: list, day } = first;
    const listed = list === null ? undefined : await readDocument(deps.documents, AggregatesList, list);
    const current =
      list === null || listed === undefined
        ? undefined
        : { list, days: listed.days, historyFrom: listed.historyFrom, publishedAt: first.startedAt };
    const loaded = await loadRelease({ ...deps, aggregates: { read: async () => current } }, digest);
    if (loaded.kind === 'refused') {
      const reason = `its release does not load: ${refusalText(loaded.refusal)}`;
      for (const request of group) replayed.push({ request, made: undefined, outcome: { kind: 'impossible', reason } });
      continue;
    }
    const { release } = loaded;
    const { definition } = release;
    const days = listed === undefined ? [] : aggregatesFor(listed.days, day, definition);
    try {
      await release.refresh(day);
      for (const request of group) {
        const rows = rowsOf(request, raw, definition);
        const outcome = await answerAgain(release, request, rows, days);
        const made = 'events' in rows ? { definition, ...rows, aggregates: days } : undefined;
        replayed.push({ request, made, outcome });
        onDone(replayed.length);
      }
    } finally {
      await release.close();
    }
  }
  return replayed;
}

export type Rows =
  | { readonly events: readonly EventRow[]; readonly context: readonly EventRow[] }
  | Exclude<ReplayedRequest['outcome'], { kind: 'computed' }>;

/** The raw events that a request names by their digests, in the types that a definition declares. */
export function rowsOf(
  request: LoggedRequest,
  raw: StoredRequests['raw'],
  { events: { columns } }: ModelDefinition,
): Rows {
  const [context, ...events] = [request.context, ...request.events.map(({ digest }) => digest)].map((digest) => ({
    digest,
    text: raw.get(digest),
  }));
  if (context?.text === undefined || events.some(({ text }) => text === undefined)) return { kind: 'not-kept' };
  const damaged = [context, ...events].find(({ digest, text = '' }) => digestOf(text) !== digest);
  if (damaged !== undefined) return { kind: 'impossible', reason: `what is kept as ${damaged.digest} is another text` };
  const row = (json: unknown): EventRow => rowFromJson(columns, json as JsonRow);
  return {
    events: events.map(({ text = '' }) => row(JSON.parse(text))),
    context: (JSON.parse(context.text) as unknown[]).map(row),
  };
}

async function answerAgain(
  release: LoadedRelease,
  request: LoggedRequest,
  rows: Rows,
  days: AggregateDays,
): Promise<ReplayedRequest['outcome']> {
  if (!('events' in rows)) return rows;
  const other = whyOtherAggregates(request, days);
  if (other !== undefined) return { kind: 'impossible', reason: other };
  const found = await release.featuresOf(request.day);
  if (found.kind === 'refused') return { kind: 'impossible', reason: refusalText(found.refusal) };
  try {
    return await answerBy(release, found.lease.value, rows);
  } finally {
    await found.lease.end();
  }
}

/** Why aggregates are not those that a request was answered by; undefined where they are. */
export function whyOtherAggregates(
  { aggregatesUntil }: Pick<LoggedRequest, 'aggregatesUntil'>,
  days: AggregateDays,
): string | undefined {
  const until = days.at(-1)?.day ?? null;
  return until === aggregatesUntil
    ? undefined
    : `its aggregates end on ${until ?? 'no day'}, its receipt says ${aggregatesUntil ?? 'none'}`;
}

/** What a release answers to the events of a request, over the aggregates of their day. */
export async function answerBy(
  { model }: Pick<LoadedRelease, 'model'>,
  { engine }: Pick<DayFeatures, 'engine'>,
  rows: Extract<Rows, { readonly events: unknown }>,
): Promise<Exclude<ReplayedRequest['outcome'], { kind: 'not-kept' }>> {
  const features = await engine.featuresOf(rows);
  if (features.kind === 'refused') return { kind: 'impossible', reason: refusalText(features.refusal) };
  return { kind: 'computed', probabilities: await model.predict(features.rows) };
}
