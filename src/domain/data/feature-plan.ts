import { type Digest, digestOfJson } from '../canonical/digest.ts';
import type { ModelDefinition } from '../model/definition.ts';
import { type AdmittedPartition, type PartitionKind, addDays, daysBetween } from './partition.ts';

/** What the plan needs to know of an admitted partition. */
export type CataloguePartition = Pick<AdmittedPartition, 'kind' | 'day' | 'version' | 'digest' | 'objects'>;

/** The daily aggregate of one arrival day; `labels` is absent on the days before any label had arrived. */
export interface DailyPlan {
  readonly day: string;
  readonly digest: Digest;
  readonly events: readonly CataloguePartition[];
  readonly labels?: CataloguePartition;
}

/** The features of one day's events: what to read, and the digest that names the result. */
export interface FeaturePlan {
  readonly ready: true;
  readonly day: string;
  readonly digest: Digest;
  readonly events: readonly CataloguePartition[];
  readonly daily: readonly DailyPlan[];
}

/** A partition that must be admitted before a day's features can be built. */
export interface MissingPartition {
  readonly kind: PartitionKind;
  readonly day: string;
}

export type FeaturePlanResult = FeaturePlan | { readonly ready: false; readonly missing: readonly MissingPartition[] };

/** The part of a definition that decides what features are. */
export type FeatureDefinition = Pick<ModelDefinition, 'events' | 'labels' | 'features'>;

/**
 * Plans the features of a day's events from the newest version of each admitted partition. A digest names its result by
 * everything that the result depends on: SQL, engine, columns and inputs. Days before the first admitted partition are
 * the beginning of history; a gap after it is missing, because aggregates over a gap would be wrong without a word. What
 * the days share is planned once, so that a thousand days are planned in a fraction of a second.
 */
export function featurePlanner(
  definition: FeatureDefinition,
  engine: string,
  catalogue: readonly CataloguePartition[],
): (day: string) => FeaturePlanResult {
  return planners(definition, engine, historyOf(definition, catalogue)).featuresOf;
}

/**
 * The daily aggregates that an endpoint needs for events of the newest admitted day and of the days after it, oldest first. They
 * end before the first day that cannot be aggregated: over a gap, features would be wrong without a word.
 */
export function servedAggregates(
  definition: FeatureDefinition,
  engine: string,
  catalogue: readonly CataloguePartition[],
): { readonly daily: readonly DailyPlan[]; readonly historyFrom: string } | undefined {
  const history = historyOf(definition, catalogue);
  const newest = [...history.events.keys()].at(-1);
  const { aggregateDays } = definition.features;
  if (newest === undefined || history.firstEvents === undefined || aggregateDays === 0) return undefined;
  const historyFrom = history.firstEvents;
  const { dailyOf } = planners(definition, engine, history);
  // Where the list ends before a gap, it begins as many days earlier: its end is what features of the next day look back from.
  for (let last = newest; last >= historyFrom;) {
    const days = daysBetween(later(addDays(last, -aggregateDays), historyFrom), last);
    const plans = days.map((day) => dailyOf(day));
    const gap = plans.findLastIndex((each) => !('plan' in each));
    if (gap < 0) return { daily: plans.flatMap((each) => ('plan' in each ? [each.plan] : [])), historyFrom };
    last = addDays(days[gap] ?? last, -1);
  }
  return undefined;
}

/** The first of the daily aggregates that features of a day's events look back on. */
export function firstAggregateOf(
  { features }: Pick<ModelDefinition, 'features'>,
  day: string,
  historyFrom: string,
): string {
  return later(addDays(day, -features.aggregateDays), historyFrom);
}

/** The digest of all that gives daily aggregates their meaning, data aside: releases of one basis use the same ones. */
export function aggregateBasis(definition: FeatureDefinition): Digest {
  const { aggregateDays, eventDays, daily } = definition.features;
  return digestOfJson({
    kind: 'aggregates',
    sql: daily.sha256,
    columns: { events: definition.events.columns, labels: definition.labels.columns },
    roles: rolesOf(definition),
    aggregateDays,
    eventDays,
  });
}

type DailyResult = { readonly plan: DailyPlan } | { readonly missing: MissingPartition[] };

function planners(
  definition: FeatureDefinition,
  engine: string,
  history: History,
): { readonly dailyOf: (day: string) => DailyResult; readonly featuresOf: (day: string) => FeaturePlanResult } {
  const { aggregateDays, eventDays } = definition.features;
  const eventsUntil = memoised((last: string): Needed => {
    const first = later(addDays(last, -eventDays), history.firstEvents ?? last);
    return needed('events', daysBetween(first, last), history);
  });
  const dailyOf = memoised((day: string): DailyResult => {
    const events = eventsUntil(day);
    const labels = needed('labels', day < (history.firstLabels ?? day) ? [] : [day], history);
    const missing = [...events.missing, ...labels.missing];
    if (missing.length > 0) return { missing };
    return { plan: dailyPlan(definition, engine, day, events.partitions, labels.partitions[0]) };
  });
  const featuresOf = (day: string): FeaturePlanResult => {
    const own = needed('events', [day], history);
    const events = eventsUntil(day);
    const firstDaily = later(addDays(day, -aggregateDays), history.firstEvents ?? day);
    const trailing = daysBetween(firstDaily, addDays(day, -1)).map(dailyOf);
    const daily = trailing.flatMap((each) => ('plan' in each ? [each.plan] : []));
    const lacking = trailing.flatMap((each) => ('missing' in each ? each.missing : []));
    const missing = [...own.missing, ...events.missing, ...lacking];
    if (missing.length > 0) {
      const once = new Map(missing.map((part) => [`${part.day} ${part.kind}`, part]));
      return { ready: false, missing: [...once].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, part]) => part) };
    }
    const digest = featuresDigest(definition, engine, day, events.partitions, daily);
    return { ready: true, day, digest, events: events.partitions, daily };
  };
  return { dailyOf, featuresOf };
}

interface Needed {
  readonly partitions: readonly CataloguePartition[];
  readonly missing: readonly MissingPartition[];
}

function needed(kind: PartitionKind, days: readonly string[], history: History): Needed {
  return {
    partitions: days.flatMap((day) => history[kind].get(day) ?? []),
    missing: days.filter((day) => !history[kind].has(day)).map((day) => ({ kind, day })),
  };
}

function memoised<T>(make: (day: string) => T): (day: string) => T {
  const known = new Map<string, T>();
  return (day) => {
    const found = known.get(day) ?? make(day);
    known.set(day, found);
    return found;
  };
}

/** The newest version of each day's partition of a kind, oldest day first. */
export function newestPartitions(
  catalogue: readonly CataloguePartition[],
  kind: PartitionKind,
): Map<string, CataloguePartition> {
  const newest = new Map<string, CataloguePartition>();
  for (const partition of catalogue) {
    const known = newest.get(partition.day);
    if (partition.kind === kind && partition.version > (known?.version ?? 0)) newest.set(partition.day, partition);
  }
  return new Map([...newest.entries()].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/**
 * The newest partitions of a kind between two days, both included, and the gaps among them. Days before the kind's
 * first admitted partition are no gap.
 */
export function partitionsBetween(
  catalogue: readonly CataloguePartition[],
  kind: PartitionKind,
  range: { readonly first: string; readonly last: string },
): { readonly partitions: CataloguePartition[]; readonly missing: MissingPartition[] } {
  const newest = newestPartitions(catalogue, kind);
  const [beginning = range.first] = newest.keys();
  const days = daysBetween(later(range.first, beginning), range.last);
  return {
    partitions: days.map((day) => newest.get(day)).filter((partition) => partition !== undefined),
    missing: days.filter((day) => !newest.has(day)).map((day) => ({ kind, day })),
  };
}

interface History {
  readonly events: ReadonlyMap<string, CataloguePartition>;
  readonly labels: ReadonlyMap<string, CataloguePartition>;
  readonly firstEvents: string | undefined;
  readonly firstLabels: string | undefined;
}

function historyOf(definition: FeatureDefinition, catalogue: readonly CataloguePartition[]): History {
  const events = newestPartitions(catalogue, 'events');
  const labels = newestPartitions(catalogue, 'labels');
  const [firstEvents] = events.keys();
  const [firstLabels] = labels.keys();
  // Labels of the first events have arrived by the horizon: a source that is silent for longer is not at its beginning.
  const expected = firstEvents === undefined ? undefined : addDays(firstEvents, definition.labels.matureAfterDays);
  return { events, labels, firstEvents, firstLabels: earlier(firstLabels, expected) };
}

function dailyPlan(
  definition: FeatureDefinition,
  engine: string,
  day: string,
  events: readonly CataloguePartition[],
  labels: CataloguePartition | undefined,
): DailyPlan {
  const digest = digestOfJson({
    kind: 'daily',
    engine,
    day,
    sql: definition.features.daily.sha256,
    columns: { events: definition.events.columns, labels: definition.labels.columns },
    roles: rolesOf(definition),
    inputs: { events: events.map(byDigest), labels: labels === undefined ? [] : [byDigest(labels)] },
  });
  return { day, digest, events, ...(labels === undefined ? {} : { labels }) };
}

function featuresDigest(
  definition: FeatureDefinition,
  engine: string,
  day: string,
  events: readonly CataloguePartition[],
  daily: readonly DailyPlan[],
): Digest {
  return digestOfJson({
    kind: 'features',
    engine,
    day,
    // The daily SQL counts as well: on the first day of history it alone says which columns the empty table has.
    sql: [definition.features.daily.sha256, definition.features.features.sha256],
    columns: { events: definition.events.columns, features: definition.features.columns },
    roles: rolesOf(definition),
    inputs: { events: events.map(byDigest), daily: daily.map(byDigest) },
  });
}

function rolesOf({ events, labels }: FeatureDefinition): Record<string, string> {
  const { id, entity, time } = events;
  return { id, entity, time, join: labels.join, value: labels.value, arrivedAt: labels.arrivedAt };
}

function byDigest({ day, digest }: { readonly day: string; readonly digest: Digest }): { day: string; digest: Digest } {
  return { day, digest };
}

function later(a: string, b: string): string {
  return a > b ? a : b;
}

function earlier(a: string | undefined, b: string | undefined): string | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return a < b ? a : b;
}
