import type { DriftEvidence } from '#domain/drift/judge-drift.ts';
import type { StabilityMeasure } from '#domain/drift/drift-work.ts';
import type { DriftRule } from '#domain/policy/policy.ts';
import { digestOf } from '#domain/canonical/digest.ts';
import { measure } from '#test/domain/gates/_measure.ts';

/** The numbers of the organisation's floor, and two inputs that are called stable. */
export const DRIFT: DriftRule = {
  stable: ['x', 'y'],
  index: 0.1,
  minimumRows: 400,
  disagreement: 1.3,
  retrainAtMostEveryDays: 7,
};

/** Inputs that have moved so far. */
export function moved(
  indices: Readonly<Record<string, number>>,
  rows = { reference: 14_000, current: 500 },
): StabilityMeasure {
  const inputs = Object.entries(indices).map(([input, index]) => ({
    input,
    index,
    bins: [{ upTo: null, reference: 1, current: 1 }],
    missing: { reference: 0, current: 0 },
  }));
  return { formatVersion: 1, rows, inputs };
}

/** Days on which a release lost so much per row, give or take a little. */
export function lost(mean: number, days: number) {
  const each = (day: number) => mean * (1 + (day % 2 === 0 ? 0.01 : -0.01));
  return measure(Array.from({ length: days }, (_, day) => ({ champion: 1, candidate: each(day) })));
}

/** A release that does as it did when it was promoted. */
export const HEALTHY: DriftEvidence = {
  stability: { measure: moved({ rate: 2.1, x: 0.01, y: 0.02 }), reason: 'features of a day' },
  concept: { promotion: lost(0.3, 14), live: lost(0.3, 7), judgeableFrom: '2001-02-01' },
  disagreement: { holdout: 0.2, days: [{ day: '2001-02-01', mean: 0.2 }] },
  parity: { days: ['2001-02-01'], differences: [], reasons: [] },
  asOf: '2001-02-02',
};

/** Features that came out otherwise. */
export const DIFFERENT: DriftEvidence['parity'] = {
  days: ['2001-02-01'],
  differences: [
    {
      day: '2001-02-01',
      features: digestOf('features'),
      found: 'x in 3 rows of 10 stored and 10 new rows, 0 of them only in one',
      columns: [{ column: 'x', rows: 3 }],
      rows: { stored: 10, anew: 10, unmatched: 0 },
    },
  ],
  reasons: [],
};
