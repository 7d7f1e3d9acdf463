/** Shares of the rows of either population. */
interface Shares {
  readonly reference: number;
  readonly current: number;
}

/** Values that are above the bound before and at most this. */
export interface StabilityBin extends Shares {
  readonly upTo: number;
}

/** How much an input's distribution has moved. */
export interface Stability {
  /** The population stability index: 0 for equal shares; above 0.1 it is usual to look, above 0.25 to act. */
  readonly index: number;
  readonly bins: readonly StabilityBin[];
  /** Values such as the reference has none: below its least, above its greatest, or, where its values repeat, none of them. */
  readonly unseen: Shares;
  /** Rows that have no value. */
  readonly missing: Shares;
}

/** Tenths, as is usual; an input with fewer different values has a bin for each. */
const BINS = 10;
/** A bin that is empty counts as half a row, so that the index stays finite. */
const EMPTY = 0.5;
/** Where each value of the reference is there so many times on average, a value that is not among them is new. */
const REPEATS = 20;

/**
 * The population stability index of one input: sum over bins of (q - p) ln(q / p), which is the symmetrised divergence of
 * Kullback and Leibler on the quantile bins of the reference (Siddiqi 2006, Credit Risk Scorecards; Yurdakul & Naranjo
 * 2020 for its distribution). Missing values (NaN) are a bin of their own, so that an input that goes missing is seen, and
 * so are values such as the reference has none: what fell into the bin at their side would go unseen there.
 * @param reference values that are known to be healthy
 * @param current the values to be compared with them
 * @returns undefined where either has no values: nothing can be said then, which is not "stable"
 */
export function populationStability(reference: Float64Array, current: Float64Array): Stability | undefined {
  if (reference.length === 0 || current.length === 0) return undefined;
  const bins = binsOf(reference);
  const [before, after] = [countIn(bins, reference), countIn(bins, current)];
  let index = 0;
  for (const [place, was] of before.entries()) {
    const is = after[place] ?? 0;
    if (was === 0 && is === 0) continue;
    const p = Math.max(was, EMPTY) / reference.length;
    const q = Math.max(is, EMPTY) / current.length;
    index += (q - p) * Math.log(q / p);
  }
  const sharesOf = (place: number): Shares => ({
    reference: (before[place] ?? 0) / reference.length,
    current: (after[place] ?? 0) / current.length,
  });
  const { bounds } = bins;
  return {
    index,
    bins: bounds.map((upTo, bin) => ({ upTo, ...sharesOf(bin) })),
    unseen: sharesOf(bounds.length),
    missing: sharesOf(bounds.length + 1),
  };
}

interface Bins {
  /** Upper bounds: the reference's tenths, each once, or its values where they are few. */
  readonly bounds: readonly number[];
  readonly isUnseen: (value: number) => boolean;
}

function binsOf(reference: Float64Array): Bins {
  const known = reference.filter((value) => !Number.isNaN(value)).sort();
  const distinct = new Set(known);
  const [least = Infinity, greatest = -Infinity] = [known[0], known.at(-1)];
  const tenths = Array.from(
    { length: BINS },
    (_, index) => known[Math.ceil(((index + 1) / BINS) * known.length) - 1] ?? greatest,
  );
  const isRepeating = distinct.size <= BINS || distinct.size * REPEATS <= known.length;
  return {
    bounds: [...(distinct.size <= BINS ? distinct : new Set(tenths))],
    isUnseen: (value) => value < least || value > greatest || (isRepeating && !distinct.has(value)),
  };
}

/** How many values are in each bin, then how many are unseen, then how many are missing. */
function countIn({ bounds, isUnseen }: Bins, values: Float64Array): Uint32Array {
  const counts = new Uint32Array(bounds.length + 2);
  for (const value of values) {
    const place = Number.isNaN(value)
      ? bounds.length + 1
      : isUnseen(value)
        ? bounds.length
        : bounds.findIndex((bound) => value <= bound);
    counts[place] = (counts[place] ?? 0) + 1;
  }
  return counts;
}
