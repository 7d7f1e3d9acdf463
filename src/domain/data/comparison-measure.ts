import { z } from 'zod';
import { Day } from '../model/definition.ts';

/** What one model's predictions amount to over some rows; losses are sums, so that clusters add up. */
export const LossSums = z.strictObject({
  /** Log loss with p clipped to [1e-6, 1 - 1e-6]: -ln p of the label that came true. */
  logLoss: z.number().nonnegative(),
  brier: z.number().nonnegative(),
  predicted: z.number().nonnegative(),
});
export type LossSums = z.infer<typeof LossSums>;

/** One cluster of rows that rise and fall together: a day of events. */
export const ComparisonCluster = z.strictObject({
  day: Day,
  rows: z.int().positive(),
  positives: z.int().nonnegative(),
  champion: LossSums,
  candidate: LossSums,
});
export type ComparisonCluster = z.infer<typeof ComparisonCluster>;

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
  /** The least and the greatest valid prediction: equal for a constant model, null if none is valid. */
  lowest: z.number().nullable(),
  highest: z.number().nullable(),
  deviation: z.number().nullable(),
  /** Area under the ROC curve over the compared rows: reported, never decided on; null if one class is absent. */
  auc: z.number().min(0).max(1).nullable(),
});
export type PredictionCounts = z.infer<typeof PredictionCounts>;

/**
 * The measured comparison of two releases on the same rows: sums and counts only, so that a pure gate can judge it
 * and anybody can do the arithmetic again.
 */
export const ComparisonMeasure = z.strictObject({
  formatVersion: z.literal(1),
  clusters: z.array(ComparisonCluster),
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
});
export type ComparisonMeasure = z.infer<typeof ComparisonMeasure>;
