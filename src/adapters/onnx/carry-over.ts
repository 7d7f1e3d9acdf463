import type { FeatureRows } from './feature-rows.ts';

/** Rows with their ids as text. */
export interface IdentifiedRows extends FeatureRows {
  readonly ids: readonly string[];
}

/** An earlier scoring of the same model: its features and its predictions by row id. */
export interface Earlier {
  readonly rows: IdentifiedRows;
  readonly predictions: ReadonlyMap<string, number>;
}

/** Which rows of a partition are carried over, and which are scored. */
export interface Parted {
  /** The carried predictions at their rows; the others are to be filled in. */
  readonly predictions: Float64Array;
  /** The rows to score: the changed ones, and some carried ones to check against. */
  readonly toScore: readonly number[];
  /** The carried rows that are scored again all the same: the model must give the very bits that were carried. */
  readonly checked: ReadonlySet<number>;
  readonly carried: number;
  /** Rows of the earlier partition that are no more. */
  readonly dropped: number;
}

/** Carried rows that are scored again per partition. */
const CHECKED = 64;

/**
 * Parts the rows of a partition into those whose features are bit for bit those of the earlier partition's row of the
 * same id, and the others. Bits, because a model may tell -0 from 0; a missing value is one NaN.
 */
export function partRows(rows: IdentifiedRows, earlier: Earlier): Parted {
  const width = rows.values.length / Math.max(1, rows.ids.length);
  const [now, then] = [bitsOf(rows.values), bitsOf(earlier.rows.values)];
  const rowOf = new Map(earlier.rows.ids.map((id, row) => [id, row]));
  const predictions = new Float64Array(rows.ids.length);
  const carried: number[] = [];
  const changed: number[] = [];
  let known = 0;
  for (const [row, id] of rows.ids.entries()) {
    const before = rowOf.get(id);
    if (before !== undefined) known += 1;
    const prediction = before === undefined ? undefined : earlier.predictions.get(id);
    if (before === undefined || prediction === undefined || !isSame(now, row, then, before, width)) changed.push(row);
    else {
      predictions[row] = prediction;
      carried.push(row);
    }
  }
  const step = Math.max(1, Math.floor(carried.length / CHECKED));
  const checked = carried.filter((_, index) => index % step === 0).slice(0, CHECKED);
  return {
    predictions,
    toScore: [...changed, ...checked].sort((a, b) => a - b),
    checked: new Set(checked),
    carried: carried.length,
    dropped: earlier.rows.ids.length - known,
  };
}

function bitsOf(values: Float32Array): Uint32Array {
  return new Uint32Array(values.buffer, values.byteOffset, values.length);
}

function isSame(a: Uint32Array, rowA: number, b: Uint32Array, rowB: number, width: number): boolean {
  for (let column = 0; column < width; column += 1)
    if (a[rowA * width + column] !== b[rowB * width + column]) return false;
  return true;
}
