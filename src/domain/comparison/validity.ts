import type { ComparisonMeasure, PredictionCounts } from './measure.ts';
import type { ComparisonRule } from '../policy/policy.ts';
import { sum } from '../statistics/paired-comparison.ts';
import { percent } from '../text.ts';

/** Why a measurement decides nothing because what was measured is wrong; empty when it is sound. */
export function whyInvalid(measure: ComparisonMeasure, rule: Pick<ComparisonRule, 'baseRateFactor'>): string[] {
  const positives = sum(measure.clusters, (cluster) => cluster.positives);
  const oneClass = measure.comparedRows > 0 && (positives === 0 || positives === measure.comparedRows);
  return [
    ...measure.flaws,
    ...wrong('candidate', measure.candidate),
    ...wrong('champion', measure.champion),
    ...(measure.duplicateFeatures > 0 ? [`${measure.duplicateFeatures} duplicate feature rows`] : []),
    ...(measure.duplicateLabels > 0 ? [`${measure.duplicateLabels} duplicate labels`] : []),
    ...(measure.comparedRows === 0 ? ['no row could be compared'] : []),
    ...(oneClass ? ['the labels have one class only'] : missedBaseRate(measure, rule.baseRateFactor)),
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

/** Two models that miss the base rate by far, and on the same side, are likelier right than the labels. */
function missedBaseRate({ clusters, comparedRows }: ComparisonMeasure, factor: number): string[] {
  const observed = sum(clusters, ({ positives }) => positives);
  const expected = [
    sum(clusters, ({ champion }) => champion.predicted),
    sum(clusters, ({ candidate }) => candidate.predicted),
  ];
  const both = (isMissed: (predicted: number) => boolean): boolean => expected.every(isMissed);
  if (!both((each) => observed > factor * each) && !both((each) => factor * observed < each)) return [];
  const shareOf = (count: number): string => percent(count / comparedRows);
  const [champion = 0, candidate = 0] = expected;
  return [
    `${shareOf(observed)} of the labels are positive, and the champion expects ${shareOf(champion)}, the candidate ${shareOf(candidate)}: the labels are doubtful`,
  ];
}

/**
 * Below this share of the labels' own standard deviation, predictions say next to nothing: were they calibrated, they would
 * explain its square, a ten-thousandth of the variance.
 */
const NEARLY_CONSTANT = 0.01;

/** Why predictions are no probabilities that anything could be decided by, or undefined where they are. */
export function whyDegenerate(counts: PredictionCounts, positives: number, rows: number): string | undefined {
  if (isConstant(counts)) return `every prediction is ${counts.lowest}`;
  const rate = positives / rows;
  if (counts.deviation === null || counts.deviation < NEARLY_CONSTANT * Math.sqrt(rate * (1 - rate)))
    return `predictions are nearly constant: between ${counts.lowest} and ${counts.highest}, with a standard deviation of ${counts.deviation?.toPrecision(2) ?? 'nothing'}`;
  if (counts.hard > counts.rows / 2)
    return `${counts.hard} of ${counts.rows} predictions are exactly 0 or 1: classes, not probabilities`;
  return undefined;
}

/** Whether a model says the same of every row, as a baseline does. */
export function isConstant({ lowest, highest }: PredictionCounts): boolean {
  return lowest === highest;
}
