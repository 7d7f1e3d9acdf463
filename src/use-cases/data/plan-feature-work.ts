import { type Digest } from '#domain/canonical/digest.ts';
import { type DailyPlan, type FeaturePlan, type MissingPartition, featurePlanner } from '#domain/data/feature-plan.ts';
import { FeatureWork, ranges, type WorkBatch } from '#domain/data/feature-work.ts';
import type { AdmittedPartition } from '#domain/data/partition.ts';
import { writeDocument } from '#ports/documents.ts';
import type { ArtifactStore } from '#ports/artifact-store.ts';
import type { BuiltKind, Lake } from '#ports/lake.ts';
import type { StoredDefinition } from '#read-model/definitions.ts';

export interface FeaturePlanning {
  readonly lake: Lake;
  /** Where plans and measurements are kept, by digest. */
  readonly documents: ArtifactStore;
  /** The version of the engine that runs the SQL. */
  readonly engine: string;
}

/** The batches that build what is not built yet, and the name of each day's features. */
export interface PlannedWork {
  readonly dailyBatches: readonly WorkBatch[];
  readonly featureBatches: readonly WorkBatch[];
  /** By definition digest: the feature partition of each day that can be built. */
  readonly features: ReadonlyMap<Digest, readonly { readonly day: string; readonly digest: Digest }[]>;
  /** Days that cannot be built, because something they need was not admitted. */
  readonly missing: readonly MissingPartition[];
}

/** Partitions per call: enough to share a start, few enough to stay far from the time-out. */
const BATCH = 24;

/** Plans the features of some days under one or more definitions; what is in the lake already is not built again, unless `anew`. */
export async function planFeatureWork(
  deps: FeaturePlanning,
  model: string,
  catalogue: readonly AdmittedPartition[],
  sources: readonly {
    readonly source: StoredDefinition;
    readonly days: readonly string[];
    /** Daily aggregates that are wanted for themselves. */
    readonly daily?: readonly DailyPlan[];
  }[],
  { anew = false }: { readonly anew?: boolean } = {},
): Promise<PlannedWork> {
  const builtOf = async (kind: BuiltKind) => (anew ? new Set<Digest>() : await deps.lake.built(kind, model));
  const [builtDaily, builtFeatures] = await Promise.all([builtOf('daily'), builtOf('features')]);
  const daily = new Map<Digest, FeatureWork['daily'][number]>();
  const features = new Map<Digest, FeatureWork['features'][number]>();
  const named = new Map<Digest, { day: string; digest: Digest }[]>();
  const missing = new Map<string, MissingPartition>();
  for (const { source, days, daily: wanted = [] } of sources) {
    const ready: FeaturePlan[] = [];
    const featuresOf = featurePlanner(source.definition, deps.engine, catalogue);
    for (const day of new Set(days)) {
      const plan = featuresOf(day);
      if (plan.ready) ready.push(plan);
      else for (const part of plan.missing) missing.set(`${part.kind} ${part.day}`, part);
    }
    // Several releases may share a definition, and with it their feature partitions: each day is named once.
    const known = named.get(source.digest) ?? [];
    const names = new Set(known.map(({ digest }) => digest));
    const added = ready.filter(({ digest }) => !names.has(digest));
    named.set(source.digest, [...known, ...added.map(({ day, digest }) => ({ day, digest }))]);
    for (const plan of ready.filter(({ digest }) => !builtFeatures.has(digest))) {
      features.set(plan.digest, {
        definition: source.digest,
        day: plan.day,
        digest: plan.digest,
        events: [...plan.events],
        daily: plan.daily.map(({ day, digest }) => ({ day, digest })),
      });
    }
    const missingDaily = ready.filter(({ digest }) => !builtFeatures.has(digest)).flatMap((plan) => plan.daily);
    for (const part of [...missingDaily, ...wanted].filter(({ digest }) => !builtDaily.has(digest))) {
      daily.set(part.digest, { definition: source.digest, ...part, events: [...part.events] });
    }
  }
  const work = await writeDocument(deps.documents, FeatureWork, {
    formatVersion: 1,
    model,
    daily: [...daily.values()],
    features: [...features.values()],
  });
  const batches = (count: number): WorkBatch[] => ranges(count, BATCH).map((range) => ({ work, model, ...range }));
  return {
    dailyBatches: batches(daily.size),
    featureBatches: batches(features.size),
    features: named,
    missing: [...missing.values()],
  };
}
