import type { ScoreBin } from '../comparison/measure.ts';
import { sum } from '../statistics/paired-comparison.ts';

/** What flagging all rows above a threshold finds. */
export interface CurvePoint {
  /** The least probability of the bins that are flagged. */
  readonly threshold: number;
  /** Share of the positives that are flagged, and share of the flagged that are positive. */
  readonly recall: number;
  readonly precision: number;
}

/** The precision-recall curve at the edges of the bins, from the highest threshold to the lowest (Davis & Goadrich 2006). */
export function precisionRecall(bins: readonly ScoreBin[], width: number): readonly CurvePoint[] {
  const positives = sum(bins, (bin) => bin.positives);
  if (positives === 0) return [];
  let [flagged, hits] = [0, 0];
  return bins
    .toSorted((a, b) => b.bin - a.bin)
    .map((bin) => {
      flagged += bin.rows;
      hits += bin.positives;
      return { threshold: probability(bin.bin * width), recall: hits / positives, precision: hits / flagged };
    });
}

/** Rows whose predictions are about the same, and how many of them came true. */
export interface ReliabilityGroup {
  readonly rows: number;
  readonly predicted: number;
  readonly observed: number;
}

/** At most so many groups are shown: tenths, as is usual. */
const GROUPS = 10;

/**
 * What came true against what was predicted, in groups of about as many rows each, made of whole bins (the reliability
 * diagram of Murphy & Winkler 1977; groups of equal size as in Bröcker & Smith 2007).
 */
export function reliability(bins: readonly ScoreBin[]): readonly ReliabilityGroup[] {
  const all = sum(bins, ({ rows }) => rows);
  const groups: ScoreBin[][] = [];
  let [before, group] = [0, -1];
  for (const bin of bins.toSorted((a, b) => a.bin - b.bin)) {
    // A bin is in the tenth that its middle row is in.
    const tenth = Math.floor((GROUPS * (before + bin.rows / 2)) / all);
    before += bin.rows;
    if (tenth !== group) groups.push([]);
    group = tenth;
    groups.at(-1)?.push(bin);
  }
  return groups.map((of) => {
    const rows = sum(of, (bin) => bin.rows);
    return {
      rows,
      predicted: sum(of, ({ predicted }) => predicted) / rows,
      observed: sum(of, ({ positives }) => positives) / rows,
    };
  });
}

function probability(logit: number): number {
  return 1 / (1 + Math.exp(-logit));
}
