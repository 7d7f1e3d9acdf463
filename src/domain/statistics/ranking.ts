import { type BootstrapInterval, bootstrap } from './bootstrap.ts';
import { probabilityOf } from './probability.ts';

/** Scored rows in the order of their clusters. */
export interface RankedRows {
  /** One score per row: at least 0 and finite, the higher the likelier. */
  readonly scores: Float64Array;
  /** 1 where the label came true, else 0. */
  readonly positive: Uint8Array;
  /** How many rows each cluster has; they add up to all. */
  readonly sizes: readonly number[];
}

/** How well scores put positives above negatives. */
export interface Ranking {
  /** Area under the ROC curve; null where a class is absent. */
  readonly auc: number | null;
  /** Average precision, the area under the precision-recall curve by steps; null without positives. */
  readonly averagePrecision: number | null;
  /** U[g][h]: pairs of a positive of cluster g and a negative of cluster h in which the positive scores higher; equal ones are half a pair. */
  readonly pairs: readonly (readonly number[])[];
}

/**
 * Counts, in one pass over the rows in the order of their scores, the pairs that are in order by clusters (Mann & Whitney
 * 1947; by clusters as in Obuchowski 1997), and the average precision, sum of (R_k - R_(k-1)) P_k over the distinct scores
 * (as in scikit-learn's average_precision_score). The order of the rows within a cluster makes no difference to any bit.
 * Takes O(rows + positives x clusters).
 */
export function rank({ scores, positive, sizes }: RankedRows): Ranking {
  const clusters = clustersOf(sizes);
  const order = ascending(scores);
  const count = sizes.length;
  const positives = positive.reduce((total, one) => total + one, 0);
  const pairs = new Float64Array(count * count);
  const below = new Float64Array(count);
  const equal = new Float64Array(count);
  let [precision, positivesBelow] = [0, 0];
  for (let start = 0, end = 0; start < order.length; start = end) {
    const score = scores[order[start] ?? 0];
    let tied = 0;
    for (; end < order.length && scores[order[end] ?? 0] === score; end += 1) {
      const row = order[end] ?? 0;
      const cluster = clusters[row] ?? 0;
      if (positive[row] === 1) tied += 1;
      else equal[cluster] = (equal[cluster] ?? 0) + 1;
    }
    for (let place = start; place < end; place += 1) {
      const row = order[place] ?? 0;
      if (positive[row] !== 1) continue;
      const base = (clusters[row] ?? 0) * count;
      for (let h = 0; h < count; h += 1)
        pairs[base + h] = (pairs[base + h] ?? 0) + (below[h] ?? 0) + (equal[h] ?? 0) / 2;
    }
    precision += (tied / positives) * ((positives - positivesBelow) / (order.length - start));
    positivesBelow += tied;
    for (let place = start; place < end; place += 1) {
      const row = order[place] ?? 0;
      const cluster = clusters[row] ?? 0;
      if (positive[row] !== 1) below[cluster] = (below[cluster] ?? 0) + 1;
      equal[cluster] = 0;
    }
  }
  const inOrder = pairs.reduce((total, each) => total + each, 0);
  const all = positives * (order.length - positives);
  return {
    auc: all > 0 ? inOrder / all : null,
    // A sum of shares, which rounding may put past the 1 that they add up to.
    averagePrecision: positives > 0 ? probabilityOf(precision) : null,
    pairs: Array.from({ length: count }, (_, g) => [...pairs.subarray(g * count, (g + 1) * count)]),
  };
}

/**
 * The rows in ascending order of their scores, by a radix sort (Knuth, TAOCP 3, 5.2.5) over the four 16-bit digits of a
 * double: those that are not negative have the order of their bits. Ten times as fast as a sort by comparisons.
 */
function ascending(scores: Float64Array): Uint32Array {
  // Adding 0 makes -0 a 0, whose bits are all 0.
  const digits = new Uint16Array(scores.map((score) => score + 0).buffer);
  let order = Uint32Array.from(scores, (_, row) => row);
  let next = new Uint32Array(order.length);
  // The machines that this runs on store the lowest digit first.
  for (let digit = 0; digit < 4; digit += 1) {
    const places = new Uint32Array(65_537);
    for (let at = digit; at < digits.length; at += 4) {
      const after = (digits[at] ?? 0) + 1;
      places[after] = (places[after] ?? 0) + 1;
    }
    for (let value = 0; value < 65_536; value += 1) places[value + 1] = (places[value + 1] ?? 0) + (places[value] ?? 0);
    for (const row of order) {
      const value = digits[4 * row + digit] ?? 0;
      const place = places[value] ?? 0;
      next[place] = row;
      places[value] = place + 1;
    }
    [order, next] = [next, order];
  }
  return order;
}

function clustersOf(sizes: readonly number[]): Uint32Array {
  const clusters = new Uint32Array(sizes.reduce((total, size) => total + size, 0));
  let start = 0;
  for (const [cluster, size] of sizes.entries()) clusters.fill(cluster, start, (start += size));
  return clusters;
}

/** A cluster's rows by their label. */
export interface LabelCounts {
  readonly rows: number;
  readonly positives: number;
}

/**
 * The clustered interval of one or two areas under the ROC curve, or of their difference where there are two: clusters are
 * drawn with replacement, and a resample costs O(G^2), because the pairs are counted by pairs of clusters already.
 * @param clusters the G clusters in the order of the matrices
 * @param pairs the G x G matrix of `rank`; `less` is a second one, whose area is subtracted
 */
export function clusteredAuc(
  clusters: readonly LabelCounts[],
  pairs: readonly (readonly number[])[],
  confidence: number,
  less?: readonly (readonly number[])[],
): BootstrapInterval | undefined {
  const count = clusters.length;
  const matrix = new Float64Array(count * count);
  for (const [g, row] of pairs.entries())
    for (const [h, value] of row.entries()) matrix[g * count + h] = value - (less?.[g]?.[h] ?? 0);
  const area = (drawn: Uint32Array): number => {
    let [inOrder, positives, negatives] = [0, 0, 0];
    for (const [g, cluster] of clusters.entries()) {
      const times = drawn[g] ?? 0;
      if (times === 0) continue;
      positives += times * cluster.positives;
      negatives += times * (cluster.rows - cluster.positives);
      let row = 0;
      for (let h = 0; h < count; h += 1) row += (drawn[h] ?? 0) * (matrix[g * count + h] ?? 0);
      inOrder += times * row;
    }
    return inOrder / (positives * negatives);
  };
  return bootstrap(count, area, confidence);
}
