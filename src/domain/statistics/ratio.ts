import quantile from '@stdlib/stats-base-dists-t-quantile';
import { sum } from './paired-comparison.ts';

/** What was seen and what was expected in one cluster, e.g. positives and the sum of the predicted probabilities of a day. */
export interface ObservedCluster {
  readonly observed: number;
  readonly expected: number;
}

/** Observed / expected with its interval, each bound one-sided; no interval for fewer than two clusters. */
export interface Ratio {
  readonly point: number;
  readonly interval: readonly [lower: number, upper: number] | null;
}

/**
 * The ratio of two sums over clusters, with the t interval of its linearised residuals (Cochran 1977, Sampling Techniques,
 * 6.3): e = observed - ratio * expected, standard error sqrt(G / (G - 1) * sum e^2) / sum expected, G - 1 degrees of freedom.
 * @param confidence of each bound, e.g. 0.95
 * @returns undefined where nothing was expected
 */
export function ratioOfSums(clusters: readonly ObservedCluster[], confidence: number): Ratio | undefined {
  const count = clusters.length;
  const expected = sum(clusters, (cluster) => cluster.expected);
  if (!(expected > 0)) return undefined;
  const point = sum(clusters, ({ observed }) => observed) / expected;
  if (count < 2) return { point, interval: null };
  const squares = sum(clusters, (cluster) => (cluster.observed - point * cluster.expected) ** 2);
  const reach = (quantile(confidence, count - 1) * Math.sqrt((count / (count - 1)) * squares)) / expected;
  return { point, interval: [point - reach, point + reach] };
}

/** A mean loss, with bounds that take its rows for as dependent as they are. */
export interface MeanLoss {
  readonly mean: number;
  /** One-sided bounds, each at the confidence asked for. */
  readonly interval: readonly [lower: number, upper: number];
  readonly clusters: number;
}

/**
 * The mean loss over clusters of rows that rise and fall together, as a ratio of sums.
 * @param clusters sums of one loss (nats), and what it is given per: rows, or the nats that a constant would have lost
 * @param confidence of each bound, one-sided, e.g. 0.95
 * @returns undefined where there are fewer than two clusters, or a sum is not a number
 */
export function meanLoss(
  clusters: readonly { readonly loss: number; readonly per: number }[],
  confidence: number,
): MeanLoss | undefined {
  const ratio = ratioOfSums(
    clusters.map(({ loss, per }) => ({ observed: loss, expected: per })),
    confidence,
  );
  if (ratio === undefined || ratio.interval === null || !Number.isFinite(ratio.point)) return undefined;
  return { mean: ratio.point, interval: ratio.interval, clusters: clusters.length };
}
