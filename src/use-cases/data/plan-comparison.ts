import { z } from 'zod';
import { type Digest } from '#domain/canonical/digest.ts';
import { partitionsBetween } from '#domain/data/feature-plan.ts';
import { predictionDigest, WorkBatch } from '#domain/data/feature-work.ts';
import { ComparisonPlan } from '#domain/comparison/plan.ts';
import { daysBetween } from '#domain/data/partition.ts';
import { missingReasons } from '#domain/data/open-refusal.ts';
import { planWindows, type Slice } from '#domain/data/windows.ts';
import { type ComparisonRule, type Costs, costThreshold } from '#domain/policy/policy.ts';
import { ReleaseManifest } from '#domain/release/manifest.ts';
import { readDocument, writeDocument } from '#ports/documents.ts';
import type { ArtifactStore } from '#ports/artifact-store.ts';
import type { Ledger } from '#ports/ledger.ts';
import { definitionIn } from '#read-model/definitions.ts';
import { readCatalogue } from '#read-model/partitions.ts';
import { readOpenRefusals } from '#read-model/refusals.ts';
import type { Said } from '#use-cases/task.ts';
import { ComparisonToMeasure } from './measure-comparison.ts';
import { type FeaturePlanning, planFeatureWork } from './plan-feature-work.ts';
import { planScoreWork } from './plan-score-work.ts';

/** What is to be made before releases can be compared, batch by batch, and which comparisons are then to be measured. */
const PlannedBatches = {
  dailyBatches: z.array(WorkBatch),
  featureBatches: z.array(WorkBatch),
  scoreBatches: z.array(WorkBatch),
  comparisons: z.array(ComparisonToMeasure),
};
/** Nothing can be compared, and why. */
export const NothingPlanned = z.object({ reasons: z.array(z.string()), ...PlannedBatches });
export const PlannedComparison = z.discriminatedUnion('status', [
  z.object({ status: z.literal('planned'), ...PlannedBatches }),
  NothingPlanned.extend({ status: z.literal('insufficient') }),
]);
export type PlannedComparison = Said<z.output<typeof PlannedComparison>>;

export interface ComparisonPlanning extends FeaturePlanning {
  readonly ledger: Ledger;
  /** Where releases are. */
  readonly releases: ArtifactStore;
  readonly scorer: Digest;
}

/** What is to be compared with the champion: on the test days, and on the selection days as well when there is a choice to make. */
export interface Comparing {
  readonly model: string;
  readonly asOf: string;
  readonly champion: Digest;
  readonly candidates: readonly Digest[];
  readonly slices: readonly ('selection' | 'test')[];
  /** By what rows are clustered and sliced. */
  readonly rule: Pick<ComparisonRule, 'cluster' | 'slices'>;
  /** What wrong decisions cost, if that is known. */
  readonly costs?: Costs | undefined;
}

/** Plans the comparison of candidates with a champion on the same held-out rows of this environment's own lake. */
export async function planComparison(deps: ComparisonPlanning, comparing: Comparing): Promise<PlannedComparison> {
  const { model, asOf, champion, candidates, rule, costs } = comparing;
  const catalogue = await readCatalogue(deps.ledger, model);
  const events = catalogue
    .filter((partition) => partition.kind === 'events')
    .map((partition) => partition.day)
    .toSorted();
  const [first, last] = [events[0], events.at(-1)];
  const [newest] = candidates;
  if (first === undefined || last === undefined || newest === undefined)
    return insufficient(['no partitions are admitted here']);
  const sources = await Promise.all(
    [...new Set([champion, ...candidates])].map(async (release) => {
      const manifest = await readDocument(deps.releases, ReleaseManifest, release);
      return { release, seenUntil: manifest.data.labelsUntil, ...(await definitionIn(deps.releases, manifest)) };
    }),
  );
  const judged = sources.find(({ release }) => release === newest);
  if (judged === undefined) return insufficient(['no candidate']);
  const heldOut = heldOutDays(judged.definition, asOf, { first, last });
  if ('reason' in heldOut) return insufficient([heldOut.reason]);
  const slices = comparing.slices.map((name) => ({ name, slice: heldOut[name] }));
  // What either has been trained on tells nothing of how it does on what is new.
  const seen = sources.flatMap(({ release, seenUntil }) =>
    slices
      .filter(({ slice }) => seenUntil >= slice.events.first)
      .map(
        ({ name, slice }) =>
          `${release} has seen labels until ${seenUntil}, and the ${name} days begin on ${slice.events.first}`,
      ),
  );
  if (seen.length > 0) return insufficient(seen.slice(0, 8));
  const days = slices.flatMap(({ slice }) => daysBetween(slice.events.first, slice.events.last));
  const work = await planFeatureWork(
    deps,
    model,
    catalogue,
    sources.map((source) => ({ source, days })),
  );
  const labels = slices.map(({ slice }) => partitionsBetween(catalogue, 'labels', slice.labels));
  const missing = [...work.missing, ...labels.flatMap((each) => each.missing)];
  if (missing.length > 0) {
    return insufficient(missingReasons(missing, await readOpenRefusals(deps.ledger, model)).slice(0, 8));
  }
  const featuresOf = (release: Digest, within: readonly string[]): { day: string; digest: Digest }[] => {
    const digest = sources.find((source) => source.release === release)?.digest;
    return (digest === undefined ? [] : (work.features.get(digest) ?? [])).filter(({ day }) => within.includes(day));
  };
  const scoreBatches = await planScoreWork(
    deps.documents,
    model,
    sources.flatMap(({ release }) => {
      const features = new Map(featuresOf(release, days).map((each) => [each.digest, each]));
      return [...features.values()].map(({ day, digest }) => ({ release, day, features: digest }));
    }),
  );
  const comparisons = [];
  for (const candidate of candidates) {
    for (const [index, { name, slice }] of slices.entries()) {
      const within = daysBetween(slice.events.first, slice.events.last);
      const predictions = (release: Digest): Digest[] =>
        featuresOf(release, within).map(({ digest }) => predictionDigest(digest, release, deps.scorer));
      const comparison = await writeDocument(deps.documents, ComparisonPlan, {
        formatVersion: 1,
        model,
        definition: judged.digest,
        champion,
        candidate,
        labels: labels[index]?.partitions ?? [],
        features: featuresOf(candidate, within).map(({ digest }) => digest),
        championPredictions: predictions(champion),
        candidatePredictions: predictions(candidate),
        cluster: rule.cluster,
        slices: rule.slices.columns,
        ...(costs === undefined ? {} : { threshold: costThreshold(costs) }),
      });
      comparisons.push({ candidate, slice: name, comparison });
    }
  }
  return {
    status: 'planned',
    dailyBatches: work.dailyBatches,
    featureBatches: work.featureBatches,
    scoreBatches,
    comparisons,
  };
}

/** No work: the same shape, so that a machine's states find what they read. */
export function nothingPlanned(reasons: readonly string[]): Said<z.output<typeof NothingPlanned>> {
  return { reasons, dailyBatches: [], featureBatches: [], scoreBatches: [], comparisons: [] };
}

function insufficient(reasons: readonly string[]): PlannedComparison {
  return { status: 'insufficient', ...nothingPlanned(reasons) };
}

/** The held-out days as of a day; training windows play no part in an environment that does not train. */
function heldOutDays(
  definition: Parameters<typeof planWindows>[0],
  asOf: string,
  history: { readonly first: string; readonly last: string },
): { readonly selection: Slice; readonly test: Slice } | { readonly reason: string } {
  const plan = planWindows({ ...definition, windows: [{ name: 'held-out', since: '1970-01-01' }] }, asOf, history);
  return plan.kind === 'planned' ? plan : { reason: `${plan.refusal.rule}: ${plan.refusal.found}` };
}
