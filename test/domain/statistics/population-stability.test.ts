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
    expect(found?.bins).toEqual([
      { upTo: 1, reference: 0.5, current: 0.25 },
      { upTo: Infinity, reference: 0.5, current: 0.25 },
      { upTo: null, reference: 0, current: 0.5 },
    ]);
  });

  it('is never negative, 0 for the same values, and loses no row', () => {
    fc.assert(
      fc.property(values, values, (reference, current) => {
        const found = populationStability(reference, current);
        expect(found?.index).toBeGreaterThanOrEqual(-1e-12);
        expect(populationStability(reference, reference)?.index).toBe(0);
        for (const side of ['reference', 'current'] as const)
          expect(found?.bins.reduce((sum, bin) => sum + bin[side], 0)).toBeCloseTo(1, 9);
      }),
    );
  });
});
