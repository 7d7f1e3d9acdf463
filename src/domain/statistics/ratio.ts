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
