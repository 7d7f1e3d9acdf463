import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Digest } from '#domain/canonical/digest.ts';
import { aggregateBasis, firstAggregateOf } from '#domain/data/feature-plan.ts';
import { daysBetween } from '#domain/data/partition.ts';
import type { ModelDefinition } from '#domain/model/definition.ts';
import { type AggregateDays, aggregatesFor, servedDays } from '#domain/prediction/aggregates.ts';
import { refusal, type Refusal } from '#domain/refusal/refusal.ts';
import { fileOf, ReleaseManifest } from '#domain/release/manifest.ts';
import type { ReadableStore } from '#ports/artifact-store.ts';
import { readDocument } from '#ports/documents.ts';
import type { Lake } from '#ports/lake.ts';
import type { OnlineFeatureEngine, OnlineFeatures } from '#ports/online-features.ts';
import type { OpenModel, Scoring } from '#ports/scoring.ts';
import { definitionIn } from '#read-model/definitions.ts';
import { answerGoldenRequest } from '#read-model/golden-request.ts';
import { type Lease, loaded, type Loaded } from './leases.ts';

/** Says which daily aggregates are current for the releases of a basis. */
export interface CurrentAggregates {
  read(model: string, basis: Digest): Promise<ListedAggregates | undefined>;
}

/** A list of daily aggregates and the digest of the document that it is. */
export interface ListedAggregates {
  readonly list: Digest;
  readonly days: AggregateDays;
  /** The first day of events that there is. */
  readonly historyFrom: string;
  readonly publishedAt: string;
}

export interface Loading {
  readonly model: string;
  readonly artifacts: ReadableStore;
  readonly lake: Pick<Lake, 'fetch'>;
  readonly aggregates: CurrentAggregates;
  readonly scoring: Pick<Scoring, 'open'>;
  readonly features: OnlineFeatureEngine;
  /** A folder of the server's own, for files of daily aggregates while they are loaded. */
  readonly folder: string;
}

export type Refused = { readonly kind: 'refused'; readonly refusal: Refusal; readonly fault?: unknown };

/** Features of the events of one day, over the aggregates that a batch of that day would see as far as they are published. */
export interface DayFeatures {
  readonly engine: OnlineFeatures;
  /** The list that the aggregates are of; undefined where the model has no aggregates. */
  readonly list: Digest | undefined;
  readonly until: string | undefined;
}

/** A release that answers requests. */
export interface LoadedRelease {
  readonly release: Digest;
  readonly definition: ModelDefinition;
  readonly online: NonNullable<ModelDefinition['online']>;
  readonly model: OpenModel;
  /** Reads which aggregates are current, and lets go of what is not used any more: features of days that are not served. */
  refresh(today: string): Promise<void>;
  /**
   * The days whose events are served: today, yesterday, and the day for which the newest aggregates are made with the day before it,
   * which in a replay of history are others. The last is the one that requests are expected of.
   */
  servedDays(today: string): readonly string[];
  /** Why the feed of aggregates seems to have stopped, by the time of the newest list; undefined where it has not. */
  whyStopped(today: string): Refusal | undefined;
  /** The features of a day's events, loaded at the first request for them. */
  featuresOf(day: string): Promise<{ readonly kind: 'leased'; readonly lease: Lease<DayFeatures> } | Refused>;
  /** What it answers to its golden request, by its own aggregates; undefined where it has none. */
  golden(): Promise<Awaited<ReturnType<typeof answerGoldenRequest>>>;
  close(): Promise<void>;
}

/** Loads a release: every file is hashed again when it is read. @throws GatehouseError what reading throws */
export async function loadRelease(
  deps: Loading,
  release: Digest,
): Promise<{ readonly kind: 'loaded'; readonly release: LoadedRelease } | Refused> {
  const manifest = await readDocument(deps.artifacts, ReleaseManifest, release);
  const { definition } = await definitionIn(deps.artifacts, manifest);
  const { online } = definition;
  if (online === undefined || definition.name !== deps.model)
    return {
      kind: 'refused',
      refusal: refusal('champion-online', `${release} is a ${definition.name} without online`),
    };
  const bytesOf = (path: Parameters<typeof fileOf>[1]): Promise<Uint8Array> =>
    deps.artifacts.read(fileOf(manifest, path).sha256);
  const [onnx, daily, features] = await Promise.all([
    bytesOf('model.onnx'),
    bytesOf('features/daily.sql'),
    bytesOf('features/features.sql'),
  ]);
  const opened = await deps.scoring.open(onnx, definition);
  if (opened.kind === 'refused') return opened;
  const text = (bytes: Uint8Array): string => new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  const { model } = opened;
  const sql = { daily: text(daily), features: text(features) };
  const days = dayFeatures(deps, definition, sql);
  const golden: LoadedRelease['golden'] = () =>
    inFolder(deps.folder, 'golden-', (folder) =>
      answerGoldenRequest({ definition, sql, model, online: deps.features }, deps.artifacts, manifest, folder),
    );
  const close = async (): Promise<void> => {
    await Promise.all([days.close(), model.close()]);
  };
  return { kind: 'loaded', release: { release, definition, online, model, ...days, golden, close } };
}

/** Some work with a folder that is gone afterwards: the engine has its files in memory. */
async function inFolder<T>(parent: string, prefix: string, work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(parent, prefix));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

type DayPart = 'refresh' | 'servedDays' | 'whyStopped' | 'featuresOf' | 'close';

/** The features of the days for which there are requests: today's, and just after midnight yesterday's. */
function dayFeatures(
  deps: Loading,
  definition: ModelDefinition,
  sql: { readonly daily: string; readonly features: string },
): Pick<LoadedRelease, DayPart> {
  const basis = aggregateBasis(definition);
  const hasAggregates = definition.features.aggregateDays > 0;
  const byDay = new Map<
    string,
    { readonly list: Digest | undefined; readonly features: Promise<Loaded<DayFeatures>> }
  >();
  let current: ListedAggregates | undefined;

  const drop = async (day: string): Promise<void> => {
    const features = byDay.get(day)?.features;
    byDay.delete(day);
    // What could not be loaded was said to whoever asked for it.
    const [result] = await Promise.allSettled([features]);
    if (result.status === 'fulfilled') await result.value?.retire();
  };
  const load = (days: AggregateDays, list: Digest | undefined): Promise<Loaded<DayFeatures>> =>
    inFolder(deps.folder, 'daily-', async (folder) => {
      const fetched = days.map(async ({ day, digest }) => ({
        day,
        file: await deps.lake.fetch('daily', deps.model, digest, folder),
      }));
      const daily = await Promise.all(fetched);
      const engine = await deps.features.open({ definition, sql, daily });
      return loaded({ engine, list, until: days.at(-1)?.day }, () => engine.close());
    });
  const features: Pick<LoadedRelease, DayPart> = {
    servedDays(today) {
      return servedDays(today, current?.days.at(-1)?.day);
    },
    whyStopped(today) {
      const most = definition.online?.maxAggregateAgeDays ?? 0;
      if (current === undefined) return undefined;
      const age = daysBetween(current.publishedAt.slice(0, 10), today).length - 1;
      const found = `the newest list of aggregates was published on ${current.publishedAt}, ${age} days ago; at most ${most} are allowed`;
      return age <= most ? undefined : refusal('aggregates-recent', found);
    },
    async refresh(today) {
      current = hasAggregates ? await deps.aggregates.read(deps.model, basis) : undefined;
      const days = features.servedDays(today);
      const stale = [...byDay].filter(([day, { list }]) => !days.includes(day) || list !== current?.list);
      for (const [day] of stale) await drop(day);
    },
    async featuresOf(day) {
      const days = current === undefined ? [] : aggregatesFor(current.days, day, definition);
      const why = hasAggregates ? whyNotRecent(definition, day, current, days.at(-1)?.day) : undefined;
      if (why !== undefined) return { kind: 'refused', refusal: why };
      const known = byDay.get(day) ?? { list: current?.list, features: load(days, current?.list) };
      byDay.set(day, known);
      try {
        const lease = (await known.features).lease();
        // Another list took its place meanwhile.
        return lease === undefined ? await features.featuresOf(day) : { kind: 'leased', lease };
      } catch (fault) {
        // The next request tries again.
        if (byDay.get(day) === known) byDay.delete(day);
        const found = fault instanceof Error ? fault.message : String(fault);
        const remedy = 'try again, or look for what is named in the lake';
        return { kind: 'refused', refusal: { rule: 'aggregates-load', found, remedy }, fault };
      }
    },
    async close() {
      for (const day of byDay.keys()) await drop(day);
    },
  };
  return features;
}

/** Why aggregates are not recent enough for the events of a day. */
function whyNotRecent(
  definition: ModelDefinition,
  day: string,
  current: ListedAggregates | undefined,
  until: string | undefined,
): Refusal | undefined {
  if (current === undefined) return refusal('aggregates-published', 'no list of aggregates is published');
  const most = definition.online?.maxAggregateAgeDays ?? 0;
  if (until === undefined) return refusal('aggregates-recent', `no aggregates are of the days before ${day}`);
  const first = firstAggregateOf(definition, day, current.historyFrom);
  if (current.days.every((each) => each.day > first))
    return refusal(
      'aggregates-complete',
      `aggregates of ${first} are not listed, which features of ${day} look back on`,
    );
  const age = daysBetween(until, day).length - 1;
  if (age <= most) return undefined;
  return refusal(
    'aggregates-recent',
    `aggregates end on ${until}, ${age} days before ${day}; at most ${most} are allowed`,
  );
}
