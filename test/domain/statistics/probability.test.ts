import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { probabilityOf, ROUNDING } from '#domain/statistics/probability.ts';
import { rank } from '#domain/statistics/ranking.ts';

it('takes what rounding has put past an end for that end, and nothing else', () => {
  fc.assert(
    fc.property(fc.double({ min: -2, max: 3, noNaN: true }), (value) => {
      const meant = probabilityOf(value);
      if (value < -ROUNDING || value > 1 + ROUNDING) expect(meant).toBeNaN();
      else expect(Math.abs(meant - value)).toBeLessThanOrEqual(ROUNDING * 1.000_001);
      expect(Number.isNaN(meant) || (meant >= 0 && meant <= 1)).toBe(true);
    }),
  );
  expect(probabilityOf(1.000_000_1)).toBe(1);
  expect(probabilityOf(-1e-9)).toBe(0);
  expect(Object.is(probabilityOf(-0), 0)).toBe(true);
  for (const none of [Number.NaN, Infinity, -Infinity, 1.01]) expect(probabilityOf(none)).toBeNaN();
});

it('gives no average precision above 1, however many positives there are', () => {
  for (let positives = 1; positives <= 120; positives += 1) {
    // Each positive has a score of its own, above that of each negative.
    const scores = Float64Array.from({ length: positives + 3 }, (_, row) => (row + 1) / (positives + 4));
    const positive = Uint8Array.from(scores, (_, row) => Number(row >= 3));
    const { auc, averagePrecision } = rank({ scores, positive, sizes: [positives + 3] });
    expect(auc).toBe(1);
    expect(averagePrecision).toBeGreaterThan(1 - 1e-9);
    expect(averagePrecision).toBeLessThanOrEqual(1);
  }
});
