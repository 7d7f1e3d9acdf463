import quantile from '@stdlib/stats-base-dists-t-quantile';

/** One cluster of paired rows: how many, the champion's loss and the candidate's, each summed over the cluster. */
export interface PairedCluster {
  readonly rows: number;
  readonly champion: number;
  readonly candidate: number;
}

/** A paired comparison of mean losses; all values but `clusters` and `rows` are relative to the champion's mean loss. */
export interface PairedComparison {
  readonly clusters: number;
  readonly rows: number;
  /** Mean loss per row of each. */
  readonly championLoss: number;
  readonly candidateLoss: number;
  /** Relative gain of the candidate: positive means better. */
  readonly improvement: number;
  readonly standardError: number;
  /** One-sided lower bound of the improvement at the confidence asked for. */
  readonly lowerBound: number;
}

/**
 * The paired, clustered comparison of two models on the same rows: the gain is a ratio of cluster sums, its variance
 * the linearised between-cluster variance, and the bound a t quantile with G - 1 degrees of freedom (G clusters).
 * Rows of one day rise and fall together, so the day, not the row, is the unit (Cameron, Gelbach & Miller 2008;
 * Ibragimov & Müller 2010).
 * @returns undefined where there are fewer than two clusters, no rows, or the champion's loss is not positive
 */
export function comparePaired(clusters: readonly PairedCluster[], confidence: number): PairedComparison | undefined {
  const total = (of: (cluster: PairedCluster) => number): number =>
    clusters.reduce((sum, cluster) => sum + of(cluster), 0);
  const rows = total((cluster) => cluster.rows);
  const champion = total((cluster) => cluster.champion);
  const candidate = total((cluster) => cluster.candidate);
  const count = clusters.length;
  if (count < 2 || !(rows > 0) || !(champion > 0) || !Number.isFinite(candidate)) return undefined;
  const gain = (champion - candidate) / rows;
  const residuals = clusters.map((cluster) => cluster.champion - cluster.candidate - gain * cluster.rows);
  const variance = ((count / (count - 1)) * residuals.reduce((sum, residual) => sum + residual ** 2, 0)) / rows ** 2;
  const scale = rows / champion;
  const standardError = Math.sqrt(variance) * scale;
  const improvement = gain * scale;
  return {
    clusters: count,
    rows,
    championLoss: champion / rows,
    candidateLoss: candidate / rows,
    improvement,
    standardError,
    lowerBound: improvement - quantile(confidence, count - 1) * standardError,
  };
}

/** Mean log loss of the best constant prediction, the base rate: what a model must beat to know anything. */
export function baseRateLoss(positives: number, rows: number): number {
  const rate = positives / rows;
  return rate <= 0 || rate >= 1 ? 0 : -(rate * Math.log(rate) + (1 - rate) * Math.log(1 - rate));
}
