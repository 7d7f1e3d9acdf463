import type { ComparisonMeasure, PredictionCounts } from '#domain/comparison/measure.ts';
import { addDays } from '#domain/data/partition.ts';

const counts = (rows: number): PredictionCounts => ({
  rows,
  duplicates: 0,
  notANumber: 0,
  outOfRange: 0,
  hard: 0,
  unmatched: 0,
  missing: 0,
  lowest: 0.02,
  highest: 0.91,
  deviation: 0.1,
  auc: 0.7,
  averagePrecision: 0.3,
  pairs: null,
});

/** A measurement by the mean losses of each day: 1,000 rows a day, of which 200 are positive. */
export function measure(days: readonly { readonly champion: number; readonly candidate: number }[]): ComparisonMeasure {
  const rows = 1000;
  const losses = (mean: number) => ({ logLoss: mean * rows, brier: (mean * rows) / 3, predicted: 200 });
  return {
    formatVersion: 2,
    clusterColumn: 'day',
    clusters: days.map(({ champion, candidate }, index) => ({
      cluster: addDays('2001-03-01', index),
      rows,
      positives: 200,
      champion: losses(champion),
      candidate: losses(candidate),
    })),
    slices: [],
    flaws: [],
    comparedRows: days.length * rows,
    featureRows: days.length * rows,
    duplicateFeatures: 0,
    unlabelled: 0,
    duplicateLabels: 0,
    otherLabels: 0,
    champion: counts(days.length * rows),
    candidate: counts(days.length * rows),
    greatestDifference: 0.4,
  };
}

/** A fortnight in which the candidate gains this share, give or take a little each day. */
export function fortnight(gain: number, noise = 0.002): ComparisonMeasure {
  return measure(
    Array.from({ length: 14 }, (_, day) => ({
      champion: 0.45,
      candidate: 0.45 * (1 - gain - (day % 2 === 0 ? noise : -noise)),
    })),
  );
}
