import cumulative from '@stdlib/stats-base-dists-t-cdf';
import quantile from '@stdlib/stats-base-dists-t-quantile';

/** One cluster of paired rows: the champion's loss and the candidate's, each summed over the cluster (nats, or squared errors). */
export interface PairedCluster {
  readonly champion: number;
  readonly candidate: number;
}

/** A paired comparison of losses; every value but `clusters` and `worse` is relative to the champion's loss. */
export interface PairedComparison {
  readonly clusters: number;
  /** Relative gain of the candidate: positive means better. */
  readonly improvement: number;
  readonly standardError: number;
  /** One-sided bounds of the improvement, each at the confidence asked for: at 0.95 they hold the middle 90 %. */
  readonly lowerBound: number;
  readonly upperBound: number;
  /** One-sided p-value against "not worse": small where the candidate is worse beyond doubt. */
  readonly worse: number;
}

/**
 * The paired t test on cluster sums: what the candidate saves in each of G clusters is one observation, their mean has a
 * t distribution with G - 1 degrees of freedom, and all is told as a share of the champion's mean loss per cluster. Rows
 * of one day rise and fall together, so the day, not the row, is the unit (Ibragimov & Müller 2010, t-statistic based
 * correlation and heterogeneity robust inference; Cameron, Gelbach & Miller 2008).
 * @param clusters sums of one loss, in any order and any unit
 * @param confidence of each bound, one-sided, e.g. 0.95
 * @returns undefined where there are fewer than two clusters, a sum is not a number, or the champion's loss is not positive
 */
export function comparePaired(clusters: readonly PairedCluster[], confidence: number): PairedComparison | undefined {
  const count = clusters.length;
  const champion = sum(clusters, (cluster) => cluster.champion) / count;
  const gain = sum(clusters, (cluster) => cluster.champion - cluster.candidate) / count;
  if (count < 2 || !(champion > 0) || !Number.isFinite(gain)) return undefined;
  const squares = sum(clusters, (cluster) => (cluster.champion - cluster.candidate - gain) ** 2);
  const error = Math.sqrt(squares / (count - 1) / count);
  const reach = quantile(confidence, count - 1) * error;
  return {
    clusters: count,
    improvement: gain / champion,
    standardError: error / champion,
    lowerBound: (gain - reach) / champion,
    upperBound: (gain + reach) / champion,
    worse: error > 0 ? cumulative(gain / error, count - 1) : gain < 0 ? 0 : 1,
  };
}

/** The sum of a value over some items. */
export function sum<Item>(items: readonly Item[], of: (item: Item) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}

/**
 * How many clusters like those seen would prove the gain seen, if it stays: the least G whose t bound is above 0.
 * @param shares gain and standard error of `clusters` clusters, in one unit
 * @returns undefined where 1,000 clusters would not do
 */
export function clustersToProve(
  { improvement, standardError, clusters }: Pick<PairedComparison, 'improvement' | 'standardError' | 'clusters'>,
  confidence: number,
): number | undefined {
  const spread = standardError * Math.sqrt(clusters);
  for (let count = 2; count <= 1000; count += 1) {
    if (improvement > (quantile(confidence, count - 1) * spread) / Math.sqrt(count)) return count;
  }
  return undefined;
}

/** Mean log loss (nats per row) of the best constant prediction, the base rate: what a model must beat to know anything. */
export function baseRateLoss(positives: number, rows: number): number {
  const rate = positives / rows;
  return rate <= 0 || rate >= 1 ? 0 : -(rate * Math.log(rate) + (1 - rate) * Math.log(1 - rate));
}
