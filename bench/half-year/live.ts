// What is known of a release while it is served: its predictions and its shadow's on the days since its promotion, with the
// labels that had arrived by then, as sums of the form in which the product measures any two releases.
import type { ComparisonCluster, ComparisonMeasure, PredictionCounts } from '#domain/comparison/measure.ts';
import { daysBetween } from '#domain/data/partition.ts';
import { rank } from '#domain/statistics/ranking.ts';
import type { Truth } from './rows.ts';

/** Probabilities are clipped as the product's comparison does. */
const CLIP = 1e-6;

/** A day that was served: what came true, and what both releases said. */
export interface ServedDay {
  readonly truth: Truth;
  readonly champion: Float64Array;
  readonly candidate: Float64Array;
}

/** Log loss of one prediction, in nats. */
export function logLossOf(prediction: number, isLate: boolean): number {
  const clipped = Math.max(CLIP, Math.min(1 - CLIP, prediction));
  return -Math.log(isLate ? clipped : 1 - clipped);
}

/**
 * Sums over the served rows whose labels had been there at a moment, by days or by each entity's days.
 * @param before milliseconds since 1970: labels that arrived later do not count
 */
export function measureServed(
  days: readonly ServedDay[],
  before: number,
  cluster: 'day' | 'entity-day',
): ComparisonMeasure {
  const clusters = new Map<string, Mutable>();
  const said: Record<'champion' | 'candidate', number[]> = { champion: [], candidate: [] };
  const outcomes: number[] = [];
  let [served, greatest] = [0, 0];
  for (const { truth, champion, candidate } of days) {
    served += truth.late.length;
    for (let row = 0; row < truth.late.length; row += 1) {
      if ((truth.arrivedAt[row] ?? Infinity) > before) continue;
      const isLate = truth.late[row] === 1;
      const key = cluster === 'day' ? truth.day : `${truth.entity[row] ?? ''} ${truth.day}`;
      const sums = clusters.get(key) ?? newCluster(key);
      clusters.set(key, sums);
      sums.rows += 1;
      if (isLate) sums.positives += 1;
      outcomes.push(Number(isLate));
      const pair = { champion: champion[row] ?? Number.NaN, candidate: candidate[row] ?? Number.NaN };
      for (const side of ['champion', 'candidate'] as const) {
        const p = pair[side];
        sums[side].logLoss += logLossOf(p, isLate);
        sums[side].brier += (p - Number(isLate)) ** 2;
        sums[side].predicted += p;
        said[side].push(p);
      }
      greatest = Math.max(greatest, Math.abs(pair.champion - pair.candidate));
    }
  }
  const matured = outcomes.length;
  return {
    formatVersion: 2,
    clusterColumn: cluster,
    clusters: [...clusters.values()],
    slices: [],
    flaws: [],
    comparedRows: matured,
    featureRows: served,
    duplicateFeatures: 0,
    unlabelled: served - matured,
    duplicateLabels: 0,
    otherLabels: 0,
    champion: countsOf(said.champion, outcomes),
    candidate: countsOf(said.candidate, outcomes),
    greatestDifference: matured > 0 ? greatest : null,
  };
}

/** The days on which a release was served before a day. */
export function daysBefore(since: string, day: string): string[] {
  return daysBetween(since, day).slice(0, -1);
}

interface Mutable extends ComparisonCluster {
  rows: number;
  positives: number;
  readonly champion: { logLoss: number; brier: number; predicted: number };
  readonly candidate: { logLoss: number; brier: number; predicted: number };
}

function newCluster(cluster: string): Mutable {
  const nothing = { logLoss: 0, brier: 0, predicted: 0 };
  return { cluster, rows: 0, positives: 0, champion: { ...nothing }, candidate: { ...nothing } };
}

/** What one release said of the rows with labels, in numbers. */
function countsOf(said: readonly number[], late: readonly number[]): PredictionCounts {
  const rows = said.length;
  const mean = said.reduce((sum, each) => sum + each, 0) / rows;
  const spread = said.reduce((sum, each) => sum + (each - mean) ** 2, 0) / rows;
  const scores = Float64Array.from(said);
  const { auc, averagePrecision } = rank({ scores, positive: Uint8Array.from(late), sizes: [rows] });
  return {
    rows,
    duplicates: 0,
    notANumber: 0,
    outOfRange: 0,
    hard: said.filter((each) => each === 0 || each === 1).length,
    unmatched: 0,
    missing: 0,
    lowest: rows > 0 ? said.reduce((least, each) => Math.min(least, each)) : null,
    highest: rows > 0 ? said.reduce((most, each) => Math.max(most, each)) : null,
    deviation: rows > 0 ? Math.sqrt(spread) : null,
    auc,
    averagePrecision,
    pairs: null,
  };
}
