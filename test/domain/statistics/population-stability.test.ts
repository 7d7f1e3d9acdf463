import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { populationStability } from '#domain/statistics/population-stability.ts';

const Values = z
  .array(z.number().nullable())
  .transform((values) => Float64Array.from(values, (each) => each ?? Number.NaN));
const CASES = z
  .array(z.object({ name: z.string(), reference: Values, current: Values, index: z.number() }))
  .parse(JSON.parse(readFileSync(join(import.meta.dirname, 'stability.json'), 'utf8')));

const values = fc
  .array(fc.oneof(fc.double({ noNaN: true, min: -1e6, max: 1e6 }), fc.constant(Number.NaN)), {
    minLength: 1,
    maxLength: 60,
  })
  .map((each) => Float64Array.from(each));

describe('populationStability', () => {
  it.each(CASES)('is what NumPy and SciPy say: $name', ({ reference, current, index }) => {
    expect(populationStability(reference, current)?.index).toBeCloseTo(index, 10);
  });

  it('says nothing where there is nothing to compare', () => {
    expect(populationStability(new Float64Array(), Float64Array.of(1))).toBeUndefined();
    expect(populationStability(Float64Array.of(1), new Float64Array())).toBeUndefined();
  });

  it('counts what is missing in a bin of its own', () => {
    const found = populationStability(Float64Array.of(1, 1, 2, 2), Float64Array.of(1, 2, Number.NaN, Number.NaN));
    expect(found).toMatchObject({
      bins: [
        { upTo: 1, reference: 0.5, current: 0.25 },
        { upTo: 2, reference: 0.5, current: 0.25 },
      ],
      unseen: { reference: 0, current: 0 },
      missing: { reference: 0, current: 0.5 },
    });
  });

  const many = (of: (row: number) => number): Float64Array => Float64Array.from({ length: 2000 }, (_, row) => of(row));
  it.each<[string, Float64Array, Float64Array]>([
    ['a constant that moves', many(() => 3), many(() => 4)],
    ['a constant that moves a little', many(() => 3), many(() => 3 - 1e-12)],
    ['values below all', many((row) => row), many((row) => (row < 200 ? row - 1e6 : row))],
    ['values above all', many((row) => row), many((row) => (row < 1800 ? row : row + 1e6))],
    ['a value between two others', many((row) => row % 2), many((row) => (row % 2) / 2)],
    [
      'a category that takes the place of its neighbour',
      many((row) => row % 50),
      many((row) => (row % 50) + (row % 50 === 17 ? 0.5 : 0)),
    ],
    ['infinity for the greatest', many((row) => row), many((row) => (row >= 1990 ? Infinity : row))],
    ['values where there was none', many(() => Number.NaN), many((row) => row)],
    ['no value at all', many((row) => row), many(() => Number.NaN)],
  ])('is above 0 for %s', (_, reference, current) => {
    expect(populationStability(reference, current)?.index).toBeGreaterThan(1e-3);
  });

  it('is never negative, 0 for the same values, and loses no row', () => {
    fc.assert(
      fc.property(values, values, (reference, current) => {
        const found = populationStability(reference, current);
        expect(found?.index).toBeGreaterThanOrEqual(-1e-12);
        expect(populationStability(reference, reference)?.index).toBe(0);
        for (const side of ['reference', 'current'] as const)
          expect(
            (found?.bins.reduce((sum, bin) => sum + bin[side], 0) ?? 0) +
              (found?.unseen[side] ?? 0) +
              (found?.missing[side] ?? 0),
          ).toBeCloseTo(1, 9);
      }),
    );
  });
});
