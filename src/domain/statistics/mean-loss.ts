import quantile from '@stdlib/stats-base-dists-t-quantile';
import { sum } from './paired-comparison.ts';

/** A mean loss, with bounds that take its rows for as dependent as they are. */
export interface MeanLoss {
  readonly mean: number;
  /** One-sided bounds, each at the confidence asked for. */
  readonly interval: readonly [lower: number, upper: number];
  readonly clusters: number;
}

/**
 * The mean loss over clusters of rows that rise and fall together: the ratio of the clusters' sums, with the linearised
 * variance of a ratio estimator and a t distribution with G - 1 degrees of freedom (Cochran 1977, Sampling Techniques,
 * section 6.3, without the finite population correction).
 * @param clusters sums of one loss (nats), and what it is told per: rows, or the nats that a constant would have lost
 * @param confidence of each bound, one-sided, e.g. 0.95
 * @returns undefined where there are fewer than two clusters, or a sum is not a number
 */
export function meanLoss(
  clusters: readonly { readonly loss: number; readonly per: number }[],
  confidence: number,
): MeanLoss | undefined {
  const count = clusters.length;
  const total = sum(clusters, ({ per }) => per);
  const mean = sum(clusters, ({ loss }) => loss) / total;
  if (count < 2 || !Number.isFinite(mean)) return undefined;
  const squares = sum(clusters, ({ loss, per }) => (loss - mean * per) ** 2);
  const reach = (quantile(confidence, count - 1) * Math.sqrt((count / (count - 1)) * squares)) / total;
  return { mean, interval: [mean - reach, mean + reach], clusters: count };
}
