import type { ComparisonCluster, ComparisonMeasure, LossSums } from './measure.ts';
import type { ComparisonRule } from '../policy/policy.ts';
import { type BootstrapInterval, bootstrap } from '../statistics/bootstrap.ts';
import { holm } from '../statistics/holm.ts';
import type { ComparisonFigures, Estimate, ModelFigures, SliceJudgement } from './judgement.ts';
import { comparePaired, type PairedCluster, type PairedComparison, sum } from '../statistics/paired-comparison.ts';
import { clusteredAuc } from '../statistics/ranking.ts';

type Side = 'champion' | 'candidate';

/** What a measure says in figures, or undefined where it has fewer than two clusters or is not in numbers. */
export function figuresOf(
  measure: ComparisonMeasure,
  rule: ComparisonRule,
): (ComparisonFigures & { readonly gain: PairedComparison }) | undefined {
  const clusters = inOrder(measure.clusters);
  const { confidence } = rule;
  const gain = comparePaired(lossesOf(clusters, 'logLoss'), confidence);
  if (gain === undefined || !allFinite(clusters)) return undefined;
  const brier = comparePaired(lossesOf(clusters, 'brier'), confidence);
  return {
    gain,
    point: gain.improvement,
    interval: [gain.lowerBound, gain.upperBound],
    standardError: gain.standardError,
    bootstrap: resampledGain(lossesOf(clusters, 'logLoss'), confidence) ?? null,
    champion: modelFigures(measure, 'champion', confidence),
    candidate: modelFigures(measure, 'candidate', confidence),
    brier: brier === undefined ? null : { point: brier.improvement, interval: [brier.lowerBound, brier.upperBound] },
    aucDifference: aucDifference(measure, confidence),
    slices: slicesOf(measure, rule),
  };
}

/** In one order whatever the order in which they came, because sums of floating-point numbers depend on it. */
function inOrder(clusters: readonly ComparisonCluster[]): ComparisonCluster[] {
  return clusters.toSorted((a, b) => (a.cluster < b.cluster ? -1 : 1));
}

function lossesOf(clusters: readonly ComparisonCluster[], loss: keyof LossSums): PairedCluster[] {
  return clusters.map(({ champion, candidate }) => ({ champion: champion[loss], candidate: candidate[loss] }));
}

function allFinite(clusters: readonly ComparisonCluster[]): boolean {
  return clusters.every(({ champion, candidate }) =>
    [champion, candidate].every(({ logLoss, brier, predicted }) => Number.isFinite(logLoss + brier + predicted)),
  );
}

function resampledGain(clusters: readonly PairedCluster[], confidence: number): BootstrapInterval | undefined {
  const gain = (drawn: Uint32Array): number => {
    let [champion, candidate] = [0, 0];
    for (const [index, cluster] of clusters.entries()) {
      champion += (drawn[index] ?? 0) * cluster.champion;
      candidate += (drawn[index] ?? 0) * cluster.candidate;
    }
    return (champion - candidate) / champion;
  };
  return bootstrap(clusters.length, gain, confidence);
}

function modelFigures(measure: ComparisonMeasure, side: Side, confidence: number): ModelFigures {
  const { comparedRows, clusters } = measure;
  const total = (loss: keyof LossSums): number => sum(inOrder(clusters), (cluster) => cluster[side][loss]);
  const observed = sum(clusters, ({ positives }) => positives);
  const predicted = total('predicted');
  const ratios = clusters.flatMap((cluster) =>
    cluster[side].predicted > 0 ? [cluster.positives / cluster[side].predicted] : [],
  );
  const { auc, averagePrecision, pairs } = measure[side];
  const interval = pairs === null ? undefined : clusteredAuc(clusters, pairs, confidence)?.interval;
  return {
    logLoss: total('logLoss') / comparedRows,
    brier: total('brier') / comparedRows,
    averagePrecision,
    calibration: {
      point: predicted > 0 ? observed / predicted : null,
      range: ratios.length > 0 ? [Math.min(...ratios), Math.max(...ratios)] : null,
    },
    auc: auc === null ? null : { point: auc, interval: interval ?? null },
  };
}

function aucDifference({ clusters, champion, candidate }: ComparisonMeasure, confidence: number): Estimate | null {
  if (champion.auc === null || candidate.auc === null) return null;
  const interval =
    champion.pairs === null || candidate.pairs === null
      ? undefined
      : clusteredAuc(clusters, candidate.pairs, confidence, champion.pairs)?.interval;
  return { point: candidate.auc - champion.auc, interval: interval ?? null };
}

/**
 * The largest slices of each column, each by the paired t test on its own clusters; one vetoes that is worse at the level
 * after Holm's adjustment over all of them, and by more than the tolerance.
 */
function slicesOf({ slices }: ComparisonMeasure, { confidence, slices: rule }: ComparisonRule): SliceJudgement[] {
  const sized = slices.map((slice) => ({ ...slice, rows: sum(slice.clusters, ({ rows }) => rows) }));
  const largest = [...new Set(sized.map(({ column }) => column))].flatMap((column) =>
    sized
      .filter((slice) => slice.column === column)
      .toSorted((a, b) => b.rows - a.rows || (a.value < b.value ? -1 : 1))
      .slice(0, rule.largest),
  );
  const gains = largest.map(({ clusters }) => comparePaired(lossesOf(inOrder(clusters), 'logLoss'), confidence));
  const tested = gains.flatMap((gain, index) => (gain === undefined ? [] : [{ index, worse: gain.worse }]));
  const adjusted = new Map(
    holm(tested.map(({ worse }) => worse)).map((value, place) => [tested[place]?.index ?? -1, value]),
  );
  return largest.map(({ column, value, rows, clusters }, index) => {
    const gain = gains[index];
    const worse = adjusted.get(index) ?? null;
    return {
      column,
      value,
      rows,
      clusters: clusters.length,
      point: gain?.improvement ?? null,
      interval: gain === undefined ? null : [gain.lowerBound, gain.upperBound],
      worse,
      vetoes: gain !== undefined && worse !== null && worse < rule.level && gain.improvement < -rule.tolerance,
    };
  });
}
