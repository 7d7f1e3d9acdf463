import type { Golden } from '#domain/data/golden.ts';
import type { Refusal } from '#domain/refusal/refusal.ts';
import { ROUNDING } from '#domain/statistics/probability.ts';
import type { Scorer } from './scorer.ts';

/** Scores rows and keeps both, for the release to carry. */
export async function makeGolden(
  scorer: Scorer,
  rows: readonly (readonly (number | null)[])[],
): Promise<
  { readonly kind: 'made'; readonly golden: Golden } | { readonly kind: 'refused'; readonly refusal: Refusal }
> {
  const result = await scorer.score(flatten(rows), rows.length);
  if (result.kind === 'refused') return result;
  const golden: Golden = {
    formatVersion: 1,
    columns: [...scorer.columns],
    rows: rows.map((row) => row.map((value) => (value === null ? null : Math.fround(value)))),
    predictions: [...result.predictions],
  };
  return { kind: 'made', golden };
}

/** Whether a loaded model gives the predictions that its release promises. */
export async function checkGolden(
  scorer: Scorer,
  golden: Golden,
): Promise<
  | { readonly kind: 'reproduced'; readonly rows: number; readonly greatestDifference: number }
  | { readonly kind: 'refused'; readonly refusal: Refusal }
> {
  const rule = 'golden-predictions-reproduced';
  if (golden.columns.join() !== scorer.columns.join()) {
    const found = `golden columns ${golden.columns.join(', ')}, the model's ${scorer.columns.join(', ')}`;
    return { kind: 'refused', refusal: { rule, found, remedy: 'register the release again' } };
  }
  if (
    golden.predictions.length !== golden.rows.length ||
    golden.rows.some((row) => row.length !== golden.columns.length)
  ) {
    return {
      kind: 'refused',
      refusal: {
        rule,
        found: 'rows, columns and predictions of golden.json do not match',
        remedy: 'register the release again',
      },
    };
  }
  const result = await scorer.score(flatten(golden.rows), golden.rows.length);
  if (result.kind === 'refused') return result;
  const differences = golden.predictions.map((expected, row) =>
    Math.abs(expected - (result.predictions[row] ?? Number.NaN)),
  );
  const greatestDifference = Math.max(...differences);
  if (greatestDifference <= ROUNDING) return { kind: 'reproduced', rows: golden.rows.length, greatestDifference };
  const row = differences.indexOf(greatestDifference);
  const found = `row ${String(row)} gives ${String(result.predictions[row])}, promised ${String(golden.predictions[row])}`;
  return {
    kind: 'refused',
    refusal: { rule, found, remedy: 'look for another model file or another engine than the release was made with' },
  };
}

function flatten(rows: readonly (readonly (number | null)[])[]): Float32Array {
  return Float32Array.from(rows.flatMap((row) => row.map((value) => value ?? Number.NaN)));
}
