import { z } from 'zod';
import { Digest } from '#domain/canonical/digest.ts';
import { partitionsBetween } from '#domain/data/feature-plan.ts';
import { predictionDigest, WorkBatch } from '#domain/data/feature-work.ts';
import { ComparisonPlan } from '#domain/comparison/plan.ts';
import { addDays, type AdmittedPartition, daysBetween } from '#domain/data/partition.ts';
import { Day } from '#domain/model/definition.ts';
import type { ComparisonRule } from '#domain/policy/policy.ts';
import type { PredictionManifest } from '#domain/prediction/manifest.ts';
import type { Pointer } from '#domain/promotion/pointer.ts';
import { firstDayServed, type Watch, watchOf } from '#domain/promotion/watch.ts';
import { writeDocument } from '#ports/documents.ts';
import type { Clock } from '#ports/clock.ts';
import type { Ledger } from '#ports/ledger.ts';
import { definitionOf, type StoredDefinition } from '#read-model/definitions.ts';
import { findFirstEvents, readCatalogue } from '#read-model/partitions.ts';
import { readPointer } from '#read-model/pointer.ts';
import { readPredictions } from '#read-model/predictions.ts';
import { readActivePolicy } from '#read-model/policy.ts';
import { findPromotion } from '#read-model/promotions.ts';
import { AsOf, logicalDay } from '#use-cases/as-of.ts';
import { ComparisonToMeasure } from '#use-cases/data/measure-comparison.ts';
import type { ComparisonPlanning } from '#use-cases/data/plan-comparison.ts';
import { planFeatureWork } from '#use-cases/data/plan-feature-work.ts';
import { planScoreWork } from '#use-cases/data/plan-score-work.ts';
import { MeasureAnswers } from '#use-cases/requests/measure-answers.ts';
import { planAnswers } from '#use-cases/requests/plan-answers.ts';
import { contract, type Task } from '#use-cases/task.ts';

/** What a review has to measure, and of what. */
export const ReviewPlan = z.object({
  status: z.literal('planned'),
  release: Digest,
  /** The release that it replaced. */
  shadow: Digest,
  promotion: z.string(),
  /** The pointer's, in which the release is served. */
  epoch: z.int().min(1),
  asOf: Day,
  startedAt: z.iso.datetime(),
  /** Whole days that it has been served, on the clock of the data. */
  days: z.int().nonnegative(),
  isProvisional: z.boolean(),
  dailyBatches: z.array(WorkBatch),
  featureBatches: z.array(WorkBatch),
  scoreBatches: z.array(WorkBatch),
  /** One for each rule; none where nothing was served yet. */
  comparisons: z.array(ComparisonToMeasure),
  ...MeasureAnswers.input.shape,
});

export const PlanReview = contract({
  input: z.object({ model: z.string(), asOf: AsOf }),
  output: z.discriminatedUnion('status', [z.object({ status: z.literal('idle'), reason: z.string() }), ReviewPlan]),
});

/**
 * Plans the review of the release that is served: pins its published predictions of the days since it was promoted and the
 * labels that had arrived, and what the shadow has yet to score. The shadow's predictions are objects by digest like any
 * others: each day scores the new partitions only, and no manifest ever names them.
 */
export function planReview(deps: ComparisonPlanning & { readonly clock: Clock }): Task {
  return PlanReview.task(async ({ model, asOf: given }) => {
    const startedAt = deps.clock.now().toISOString();
    const asOf = logicalDay(given, deps.clock);
    const pointer = await readPointer(deps.ledger, model);
    const promotion = pointer && (await findPromotion(deps.ledger, model, pointer.writtenBy));
    const inForce = await readActivePolicy(deps.ledger, model);
    if (inForce === undefined) return { status: 'idle', reason: 'no policy is in force' };
    const { rules: policy } = inForce;
    const catalogue = await readCatalogue(deps.ledger, model);
    const servedFrom = pointer && (await firstServed(deps.ledger, model, catalogue, pointer));
    const watch = watchOf(pointer, promotion, policy, asOf, servedFrom);
    if (watch.kind === 'none') return { status: 'idle', reason: watch.reason };
    const { release, shadow, promotion: letInBy, epoch, days, isProvisional } = watch;
    const [published, own, others] = await Promise.all([
      readPredictions(deps.ledger, model),
      definitionOf(deps.releases, release),
      definitionOf(deps.releases, shadow),
    ]);
    const served = published.filter(
      (manifest) => manifest.release === release && manifest.day >= watch.from && manifest.day < asOf,
    );
    const work = await planShadow(deps, catalogue, watch, served, { own, others });
    const about = { release, shadow, promotion: letInBy, epoch, asOf, startedAt, days, isProvisional };
    const scored = served.flatMap((manifest) => {
      const features = work.shadowFeatures.get(manifest.day);
      return features === undefined ? [] : [{ ...manifest, shadowFeatures: features }];
    });
    const comparisons = [];
    for (const { name, labelsUntil, unit } of rulesOf(watch, policy.comparison, own, asOf)) {
      if (scored.length === 0) continue;
      const comparison = await writeDocument(deps.documents, ComparisonPlan, {
        formatVersion: 1,
        model,
        definition: own.digest,
        champion: shadow,
        candidate: release,
        labels: partitionsBetween(catalogue, 'labels', { first: watch.from, last: labelsUntil }).partitions,
        features: scored.map(({ features }) => features),
        championPredictions: scored.map((each) => predictionDigest(each.shadowFeatures, shadow, deps.scorer)),
        candidatePredictions: scored.map(({ features, scorer }) => predictionDigest(features, release, scorer)),
        ...unit,
      });
      comparisons.push({ candidate: release, slice: name, comparison });
    }
    const { dailyBatches, featureBatches, scoreBatches } = work;
    const newest = addDays(asOf, -1);
    const answeredDays = watch.from > newest ? [] : daysBetween(watch.from, newest);
    const answers = await planAnswers(deps, { source: own, catalogue }, answeredDays, served, newest);
    return { status: 'planned', ...about, dailyBatches, featureBatches, scoreBatches, comparisons, answers };
  });
}

/** The first day of events that came in the pointer's epoch; a correction since then is no new day. */
async function firstServed(
  ledger: Ledger,
  model: string,
  catalogue: readonly AdmittedPartition[],
  { at }: Pointer,
): Promise<string | undefined> {
  const events = catalogue.filter(({ kind }) => kind === 'events');
  const corrected = events.filter(({ version, admittedAt }) => version > 1 && Date.parse(admittedAt) > Date.parse(at));
  const first = await findFirstEvents(
    ledger,
    model,
    corrected.map(({ day }) => day),
  );
  const firstOf = new Map(first.map(({ day, admittedAt }) => [day, admittedAt]));
  return firstDayServed(
    events.map(({ day, admittedAt }) => ({ day, admittedAt: firstOf.get(day) ?? admittedAt })),
    at,
  );
}

/** Which labels each rule counts, and by what it clusters its rows. */
function rulesOf({ rule }: Watch, { cluster, slices }: ComparisonRule, { definition }: StoredDefinition, asOf: string) {
  const newest = addDays(asOf, -1);
  // Labels lie under the day on which they arrived, so that hours count as whole days.
  const settled = addDays(newest, -Math.ceil((rule?.fast.hours ?? 0) / 24));
  return [
    { name: 'fast', labelsUntil: settled, unit: { cluster: definition.events.entity, byDay: true } },
    { name: 'slow', labelsUntil: newest, unit: { cluster, slices: slices.columns } },
  ] as const;
}

/** What the shadow is to score: what was served, or its own features of those days where its SQL is another. */
async function planShadow(
  deps: ComparisonPlanning,
  catalogue: readonly AdmittedPartition[],
  { shadow }: Watch,
  served: readonly PredictionManifest[],
  { own, others }: { readonly own: StoredDefinition; readonly others: StoredDefinition },
) {
  const [first] = served;
  const model = own.definition.name;
  if (first === undefined)
    return { dailyBatches: [], featureBatches: [], scoreBatches: [], shadowFeatures: new Map<string, Digest>() };
  const isSame = own.digest === others.digest;
  const days = isSame ? [] : served.map(({ day }) => day);
  const work = await planFeatureWork(deps, model, catalogue, [{ source: others, days }]);
  const features = isSame
    ? served.map(({ day, features: digest }) => ({ day, digest }))
    : (work.features.get(others.digest) ?? []);
  const items = features.map(({ day, digest }) => ({ release: shadow, day, features: digest }));
  return {
    dailyBatches: work.dailyBatches,
    featureBatches: work.featureBatches,
    scoreBatches: await planScoreWork(deps.documents, own.definition.name, items),
    shadowFeatures: new Map(features.map(({ day, digest }) => [day, digest])),
  };
}
