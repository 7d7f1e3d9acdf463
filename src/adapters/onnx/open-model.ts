import { GatehouseError } from '#domain/error.ts';
import { refusalText } from '#domain/refusal/refusal.ts';
import type { OpenModel } from '#ports/scoring.ts';
import type { Scorer } from './scorer.ts';

/**
 * A loaded model as what answers rows that come one by one. A single row is scored twice over: for one row onnxruntime multiplies
 * matrices by another kernel than for two or more, with other last bits, and a batch has more than one row.
 */
export function openModel(scorer: Scorer): OpenModel {
  const width = scorer.columns.length;
  return {
    async predict(rows) {
      const given = rows.length === 1 ? [...rows, ...rows] : rows;
      const values = new Float32Array(given.length * width);
      for (const [index, row] of given.entries()) {
        if (row.length !== width)
          throw new RangeError(`row ${index} has ${row.length} features, the model reads ${width}`);
        values.set(row.map(asFloat), index * width);
      }
      const scores = await scorer.score(values, given.length);
      if (scores.kind === 'refused')
        throw new GatehouseError('NOT_SCORABLE', refusalText(scores.refusal), { ...scores.refusal });
      return [...scores.predictions.subarray(0, rows.length)];
    },
    close: () => scorer.close(),
  };
}

/** A feature as the batch's `CAST(... AS FLOAT)` reads it; the cast refuses what no 32-bit float can hold, and so does this. */
function asFloat(value: number | null): number {
  if (value === null) return Number.NaN;
  const float = Math.fround(value);
  if (Number.isFinite(float)) return float;
  throw new GatehouseError('NOT_SCORABLE', `feature ${value} is no 32-bit float`, { value: String(value) });
}
