import { z } from 'zod';
import { document } from '../canonical/document.ts';
import { Day } from '../model/definition.ts';

/** What one model's predictions amount to over some rows; losses are sums, so that clusters add up. */
export const LossSums = z.strictObject({
  /** Log loss with p clipped to [1e-6, 1 - 1e-6]: -ln p of the label that came true. */
  logLoss: z.number().nonnegative(),
  brier: z.number().nonnegative(),
  predicted: z.number().nonnegative(),
});
export type LossSums = z.infer<typeof LossSums>;

/** One cluster of rows that rise and fall together: a day of events, or what else the policy calls a cluster. */
export const ComparisonCluster = z.strictObject({
  cluster: z.string(),
  rows: z.int().positive(),
  positives: z.int().nonnegative(),
  champion: LossSums,
  candidate: LossSums,
});
export type ComparisonCluster = z.infer<typeof ComparisonCluster>;

/** The rows that have one value in a slice column, by clusters; clusters without such rows are left out. */
export const ComparisonSlice = z.strictObject({
  column: z.string().min(1),
  value: z.string(),
  clusters: z.array(ComparisonCluster).min(1),
});
export type ComparisonSlice = z.infer<typeof ComparisonSlice>;

/** What is wrong or remarkable about one model's predictions as they were handed in. */
export const PredictionCounts = z.strictObject({
  rows: z.int().nonnegative(),
  /** Row ids beyond their first occurrence. */
  duplicates: z.int().nonnegative(),
  /** Missing or NaN predictions. */
  notANumber: z.int().nonnegative(),
  /** Predictions below 0 or above 1, infinities among them. */
  outOfRange: z.int().nonnegative(),
  /** Predictions of exactly 0 or 1. */
  hard: z.int().nonnegative(),
  /** Predictions of rows that no feature partition has. */
  unmatched: z.int().nonnegative(),
  /** Feature rows without a prediction. */
  missing: z.int().nonnegative(),
  /** The least and the greatest compared prediction: equal for a constant model, null if none is compared. */
  lowest: z.number().nullable(),
  highest: z.number().nullable(),
  deviation: z.number().nullable(),
  /** Area under the ROC curve over the compared rows: reported, never decided on; null if one class is absent. */
  auc: z.number().min(0).max(1).nullable(),
  /** Area under the precision-recall curve by steps; null if no row is positive. */
  averagePrecision: z.number().min(0).max(1).nullable(),
  /** Pairs in order by cluster of the positive and cluster of the negative, in the order of the clusters; null where they are too many. */
  pairs: z.array(z.array(z.number().nonnegative())).nullable(),
});
export type PredictionCounts = z.infer<typeof PredictionCounts>;

/** How far the two models are apart in a cluster, whether its rows have labels or not: it is known before any label is. */
export const Disagreement = z.strictObject({
  cluster: z.string(),
  rows: z.int().positive(),
  /** The sum over the rows of |logit p - logit q|, with p and q clipped to [1e-6, 1 - 1e-6]. */
  logits: z.number().nonnegative(),
});
export type Disagreement = z.infer<typeof Disagreement>;

/** Compared rows whose predictions have about the same logit: it is at least `bin` times the width, and less than the next one's. */
export const ScoreBin = z.strictObject({
  bin: z.int(),
  rows: z.int().positive(),
  positives: z.int().nonnegative(),
  predicted: z.number().nonnegative(),
});
export type ScoreBin = z.infer<typeof ScoreBin>;

/** What one model would have had people do in a cluster: rows whose prediction reaches the threshold, and the positive ones of them. */
const Flagged = z.strictObject({ flagged: z.int().nonnegative(), hits: z.int().nonnegative() });

/** What deciding at a threshold would have come to, by clusters, which stand in the order of the measure's. */
export const Decisions = z.strictObject({
  threshold: z.number().gt(0).lt(1),
  clusters: z.array(z.strictObject({ cluster: z.string(), champion: Flagged, candidate: Flagged })),
});
export type Decisions = z.infer<typeof Decisions>;

/**
 * The measured comparison of two releases on the same rows: sums and counts only, so that a pure gate can judge it
 * and anybody can do the arithmetic again.
 */
export const ComparisonMeasure = z.strictObject({
  formatVersion: z.literal(2),
  /** What the clusters are by: `day`, or a column. */
  clusterColumn: z.string().min(1),
  /** Days that make one cluster, where the labels of neighbouring days depend on each other. */
  blockDays: z.int().min(2).exactOptional(),
  clusters: z.array(ComparisonCluster),
  /** The largest values of each slice column. */
  slices: z.array(ComparisonSlice),
  /** What is wrong with the input beyond what is counted below, in words; nothing can be judged while there is any. */
  flaws: z.array(z.string()),
  /** Rows with features, a label and a valid prediction of both. */
  comparedRows: z.int().nonnegative(),
  featureRows: z.int().nonnegative(),
  duplicateFeatures: z.int().nonnegative(),
  /** Feature rows for which no label has arrived. */
  unlabelled: z.int().nonnegative(),
  /** Labels of one row that arrived at the same time and contradict or repeat each other. */
  duplicateLabels: z.int().nonnegative(),
  /** Labels that speak of no compared feature row; expected where label days cover more events than the features do. */
  otherLabels: z.int().nonnegative(),
  champion: PredictionCounts,
  candidate: PredictionCounts,
  /** The greatest difference between the two on one row: 0 for identical predictions, null if nothing was compared. */
  greatestDifference: z.number().nullable(),
  disagreement: z.array(Disagreement).exactOptional(),
  /** How each model's predictions are spread, in bins of equal width of the logit; those without rows are left out. */
  scores: z
    .strictObject({ width: z.number().positive(), champion: z.array(ScoreBin), candidate: z.array(ScoreBin) })
    .exactOptional(),
  /** Where the policy says what wrong decisions cost. */
  decisions: Decisions.exactOptional(),
});
export type ComparisonMeasure = z.infer<typeof ComparisonMeasure>;

/** What was written before clusters could be anything but days, and slices were measured. */
const Version1 = z
  .strictObject({
    ...ComparisonMeasure.omit({ clusterColumn: true, slices: true, flaws: true }).shape,
    formatVersion: z.literal(1),
    clusters: z.array(ComparisonCluster.omit({ cluster: true }).extend({ day: Day })),
    champion: PredictionCounts.omit({ averagePrecision: true, pairs: true }),
    candidate: PredictionCounts.omit({ averagePrecision: true, pairs: true }),
  })
  .transform(({ clusters, champion, candidate, ...rest }): ComparisonMeasure => ({
    ...rest,
    formatVersion: 2,
    clusterColumn: 'day',
    clusters: clusters.map(({ day, ...sums }) => ({ cluster: day, ...sums })),
    slices: [],
    flaws: [],
    champion: { ...champion, averagePrecision: null, pairs: null },
    candidate: { ...candidate, averagePrecision: null, pairs: null },
  }));

/** A measure as it may lie in a store: this format, or the one before it. */
export const StoredMeasure = document('comparison measure', z.union([ComparisonMeasure, Version1]));
