/** One input's values over two populations, and how far apart they are. */
export interface StabilityBin {
  /** Values of the bin are above the bound before it and at most this; null for the bin of missing values. */
  readonly upTo: number | null;
  /** Shares of the rows. */
  readonly reference: number;
  readonly current: number;
}

/** How much an input's distribution has moved. */
export interface Stability {
  /** The population stability index: 0 for equal shares; above 0.1 it is usual to look, above 0.25 to act. */
  readonly index: number;
  readonly bins: readonly StabilityBin[];
}

/** Tenths, as is usual; an input with fewer different values has a bin for each. */
const BINS = 10;
/** A bin that is empty counts as half a row, so that the index stays finite. */
const EMPTY = 0.5;

/**
 * The population stability index of one input: sum over bins of (q - p) ln(q / p), which is the symmetrised divergence of
 * Kullback and Leibler on the quantile bins of the reference (Siddiqi 2006, Credit Risk Scorecards; Yurdakul & Naranjo
 * 2020 for its distribution). Missing values (NaN) are a bin of their own, so that an input that goes missing is seen.
 * @param reference values that are known to be healthy
 * @param current the values to be held against them
 * @returns undefined where either has no values: nothing can be said then, which is not "stable"
 */
export function populationStability(reference: Float64Array, current: Float64Array): Stability | undefined {
  if (reference.length === 0 || current.length === 0) return undefined;
  const bounds = quantileBounds(reference);
  const [before, after] = [countIn(bounds, reference), countIn(bounds, current)];
  const bins: StabilityBin[] = [];
  let index = 0;
  for (let bin = 0; bin < before.length; bin += 1) {
    const [was, is] = [before[bin] ?? 0, after[bin] ?? 0];
    if (was === 0 && is === 0) continue;
    const p = Math.max(was, EMPTY) / reference.length;
    const q = Math.max(is, EMPTY) / current.length;
    index += (q - p) * Math.log(q / p);
    bins.push({ upTo: bounds[bin] ?? null, reference: was / reference.length, current: is / current.length });
  }
  return { index, bins };
}

/** Upper bounds of the bins: the reference's tenths, each once; the last one holds what is above them all. */
function quantileBounds(reference: Float64Array): number[] {
  const known = reference.filter((value) => !Number.isNaN(value)).sort();
  const distinct = new Set(known);
  if (distinct.size <= BINS) return [...[...distinct].slice(0, -1), ...(known.length > 0 ? [Infinity] : [])];
  const tenths = Array.from(
    { length: BINS - 1 },
    (_, index) => known[Math.ceil(((index + 1) / BINS) * known.length) - 1] ?? Infinity,
  );
  return [...new Set([...tenths, Infinity])];
}

/** How many values are in each bin; the one after the last bound counts what is missing. */
function countIn(bounds: readonly number[], values: Float64Array): Uint32Array {
  const counts = new Uint32Array(bounds.length + 1);
  for (const value of values) {
    const bin = Number.isNaN(value) ? bounds.length : bounds.findIndex((bound) => value <= bound);
    const place = bin < 0 ? bounds.length : bin;
    counts[place] = (counts[place] ?? 0) + 1;
  }
  return counts;
}
