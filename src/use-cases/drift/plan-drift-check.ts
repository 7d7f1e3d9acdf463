import { z } from 'zod';
import { Digest, digestOf } from '#domain/canonical/digest.ts';
import { partitionsBetween, featurePlanner } from '#domain/data/feature-plan.ts';
import { predictionDigest, WorkBatch } from '#domain/data/feature-work.ts';
import { ComparisonPlan } from '#domain/comparison/plan.ts';
import { addDays, type AdmittedPartition, daysBetween } from '#domain/data/partition.ts';
import { StabilityPlan } from '#domain/drift/drift-work.ts';
import { conceptDays, judgeableFrom } from '#domain/drift/judge-drift.ts';
import { referenceDays } from '#domain/drift/reference.ts';
import { Day } from '#domain/model/definition.ts';
import type { PredictionManifest } from '#domain/prediction/manifest.ts';
import type { Promotion } from '#domain/promotion/promotion.ts';
import { ReleaseManifest } from '#domain/release/manifest.ts';
import { readDocument, writeDocument } from '#ports/documents.ts';
import type { Ledger } from '#ports/ledger.ts';
import { definitionIn, type StoredDefinition } from '#read-model/definitions.ts';
import { readCatalogue } from '#read-model/partitions.ts';
import { readPointer } from '#read-model/pointer.ts';
import { readPredictions } from '#read-model/predictions.ts';
import { readPromotions } from '#read-model/promotions.ts';
import { readActivePolicy } from '#read-model/policy.ts';
import { ComparisonToMeasure } from '#use-cases/data/measure-comparison.ts';
import type { ComparisonPlanning } from '#use-cases/data/plan-comparison.ts';
import { planFeatureWork } from '#use-cases/data/plan-feature-work.ts';
import type { Clock } from '#ports/clock.ts';
import { AsOf, logicalDay } from '#use-cases/as-of.ts';
import { MeasureAnswers } from '#use-cases/requests/measure-answers.ts';
import { planAnswers } from '#use-cases/requests/plan-answers.ts';
import { contract, type Task } from '#use-cases/task.ts';
import { MeasureStability } from './measure-stability.ts';
import { RecomputeFeatures } from './recompute-features.ts';

/** What a check has to measure, and of what. */
export const DriftCheckPlan = z.object({
  status: z.literal('planned'),
  release: Digest,
  /** The pointer's, in which the release is served. */
  epoch: z.int().min(1),
  asOf: Day,
  startedAt: z.iso.datetime(),
  dailyBatches: z.array(WorkBatch),
  featureBatches: z.array(WorkBatch),
  ...MeasureStability.input.shape,
  /** None where no day has all its labels. */
  comparisons: z.array(ComparisonToMeasure),
  /** The promotion of the release, and from when on there are labels enough; null where it was never promoted. */
  concept: z.object({ promotion: z.string().nullable(), judgeableFrom: Day.nullable() }),
  ...RecomputeFeatures.input.shape,
  ...MeasureAnswers.input.shape,
});

export const PlanDriftCheck = contract({
  input: z.object({ model: z.string(), asOf: AsOf }),
  output: z.discriminatedUnion('status', [z.object({ status: z.literal('idle'), reason: z.string() }), DriftCheckPlan]),
});

/** Predictions of a day are usual on the next one, and may be a day late. Of today's inputs those of last week say nothing. */
const FRESH_DAYS = 2;
/** Stored partitions that a check makes anew; each takes the aggregates of all the days that it looks back on. */
const SAMPLE = 2;

/** Days of events whose answers on request are measured when all their labels have arrived. */
const ANSWERED_DAYS = 14;

/** What a check reads of the release that is served. */
interface Served {
  readonly model: string;
  readonly asOf: string;
  readonly release: Digest;
  readonly source: StoredDefinition;
  readonly catalogue: readonly AdmittedPartition[];
  /** Its published predictions, oldest day first. */
  readonly published: readonly PredictionManifest[];
}

/**
 * Plans the check of the release that is served: the newest day that predictions were published for against the last weeks
 * that it was made from, its losses on the days whose labels have all arrived, and which stored features are made anew. One
 * day, because a fault is then seen on the day after it and undiluted: of a week, one day in kilometres is a seventh.
 */
export function planDriftCheck(deps: ComparisonPlanning & { readonly clock: Clock }): Task {
  return PlanDriftCheck.task(async ({ model, asOf: given }) => {
    const startedAt = deps.clock.now().toISOString();
    const asOf = logicalDay(given, deps.clock);
    const pointer = await readPointer(deps.ledger, model);
    if (pointer === undefined) return { status: 'idle', reason: 'nothing is in production here' };
    const inForce = await readActivePolicy(deps.ledger, model);
    if (inForce?.rules.drift === undefined) return { status: 'idle', reason: 'the policy in force looks for no drift' };
    const { current: release, epoch } = pointer;
    const manifest = await readDocument(deps.releases, ReleaseManifest, release);
    const [source, catalogue, predictions] = await Promise.all([
      definitionIn(deps.releases, manifest),
      readCatalogue(deps.ledger, model),
      readPredictions(deps.ledger, model),
    ]);
    const published = predictions
      .filter((each) => each.release === release && each.day < asOf)
      .toSorted((a, b) => (a.day < b.day ? -1 : 1));
    const served = { model, asOf, release, source, catalogue, published };
    const { stability, dailyBatches, featureBatches } = await planStability(deps, served, manifest);
    const concept = await planConcept(deps, served);
    const recompute = await planRecomputation(deps, served);
    // As many days as there are with labels that have all arrived, and those whose labels are arriving.
    const oldest = addDays(asOf, -ANSWERED_DAYS - source.definition.labels.matureAfterDays);
    const days = daysBetween(oldest, addDays(asOf, -1));
    const answers = await planAnswers(deps, served, days, predictions, addDays(asOf, -1));
    return {
      status: 'planned',
      release,
      epoch,
      asOf,
      startedAt,
      dailyBatches,
      featureBatches,
      stability,
      comparisons: concept.comparison === null ? [] : [concept.comparison],
      concept: { promotion: concept.promotion, judgeableFrom: concept.judgeableFrom },
      recompute,
      answers,
    };
  });
}

/** What the newest fresh day is compared with, and what has yet to be built of it. */
async function planStability(deps: ComparisonPlanning, served: Served, { data }: ReleaseManifest) {
  const { model, asOf, source, catalogue, published } = served;
  const days = referenceDays(data.window);
  const work = await planFeatureWork(deps, model, catalogue, [{ source, days }]);
  const newest = published.findLast(({ day }) => day >= addDays(asOf, -FRESH_DAYS));
  const plan = await writeDocument(deps.documents, StabilityPlan, {
    formatVersion: 1,
    model,
    definition: source.digest,
    reference: (work.features.get(source.digest) ?? []).map(({ digest }) => digest),
    current: newest === undefined ? [] : [newest.features],
  });
  const { dailyBatches, featureBatches } = work;
  return { stability: { plan, day: newest?.day ?? null }, dailyBatches, featureBatches };
}

/** The release's own predictions against the labels of whole days, and what there is to compare their loss with. */
async function planConcept(deps: ComparisonPlanning, { model, asOf, release, source, catalogue, published }: Served) {
  const promoted = await newestPromotion(deps.ledger, model, release);
  if (promoted === undefined) return { promotion: null, judgeableFrom: null, comparison: null };
  const { labels } = source.definition;
  const known = addDays(asOf, -1);
  const mature = published
    .filter(({ day }) => day >= promoted.asOf && addDays(day, labels.matureAfterDays) <= known)
    .slice(-conceptDays(labels));
  const about = { promotion: promoted.promotion, judgeableFrom: judgeableFrom(promoted.asOf, labels) };
  const [oldest] = mature;
  if (oldest === undefined) return { ...about, comparison: null };
  const own = mature.map(({ features, scorer }) => predictionDigest(features, release, scorer));
  const comparison = await writeDocument(deps.documents, ComparisonPlan, {
    formatVersion: 1,
    model,
    definition: source.digest,
    // It is compared with itself at another time: the measure wants two.
    champion: release,
    candidate: release,
    labels: partitionsBetween(catalogue, 'labels', { first: oldest.day, last: known }).partitions,
    features: mature.map(({ features }) => features),
    championPredictions: own,
    candidatePredictions: own,
  });
  return { ...about, comparison: { candidate: release, slice: 'live' as const, comparison } };
}

/** The newest promotion by which a release was promoted; it may have come back by a rollback since. */
async function newestPromotion(ledger: Ledger, model: string, release: Digest): Promise<Promotion | undefined> {
  const promotions = await readPromotions(ledger, model);
  return promotions.find((promotion) => promotion.release === release && promotion.status === 'committed');
}

/**
 * Draws stored features that predictions were made from, by a lot that the day decides, as work that builds them and all
 * that they were made from. What a correction has outdated is left out: it is about to be built anew anyway.
 */
async function planRecomputation(deps: ComparisonPlanning, { model, asOf, source, catalogue, published }: Served) {
  const featuresOf = featurePlanner(source.definition, deps.engine, catalogue);
  const drawn = published
    .filter(({ day, features }) => {
      const plan = featuresOf(day);
      return plan.ready && plan.digest === features;
    })
    .map(({ day }) => ({ day, lot: digestOf(`${model} ${asOf} ${day}`) }))
    .toSorted((a, b) => (a.lot < b.lot ? -1 : 1))
    .slice(0, SAMPLE);
  if (drawn.length === 0) return { work: null };
  const days = drawn.map(({ day }) => day);
  const work = await planFeatureWork(deps, model, catalogue, [{ source, days }], { anew: true });
  return { work: work.featureBatches[0]?.work ?? null };
}
