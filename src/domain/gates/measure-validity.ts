import type { ComparisonMeasure, PredictionCounts } from '../data/comparison-measure.ts';

/** Why a measurement decides nothing because what was measured is wrong; empty when it is sound. */
export function whyInvalid(measure: ComparisonMeasure): string[] {
  const positives = measure.clusters.reduce((sum, cluster) => sum + cluster.positives, 0);
  return [
    ...wrong('candidate', measure.candidate),
    ...wrong('champion', measure.champion),
    ...(measure.duplicateFeatures > 0 ? [`${measure.duplicateFeatures} duplicate feature rows`] : []),
    ...(measure.duplicateLabels > 0 ? [`${measure.duplicateLabels} duplicate labels`] : []),
    ...(measure.comparedRows === 0 ? ['no row could be compared'] : []),
    ...(measure.comparedRows > 0 && (positives === 0 || positives === measure.comparedRows)
      ? ['the labels have one class only']
      : []),
  ];
}

function wrong(who: string, counts: PredictionCounts): string[] {
  const found = [
    [counts.notANumber, 'predictions are not a number'],
    [counts.outOfRange, 'predictions are outside [0, 1]'],
    [counts.duplicates, 'predictions are duplicates'],
    [counts.unmatched, 'predictions match no row'],
    [counts.missing, 'rows have no prediction'],
  ] as const;
  return found.flatMap(([count, what]) => (count > 0 ? [`${who}: ${count} ${what}`] : []));
}
