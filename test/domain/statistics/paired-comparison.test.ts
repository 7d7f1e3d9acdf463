import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { baseRateLoss, comparePaired, type PairedCluster } from '#domain/statistics/paired-comparison.ts';

const Numbers = z.object({ improvement: z.number(), standardError: z.number(), lowerBound: z.number() });
const Cluster = z.object({ rows: z.number(), champion: z.number(), candidate: z.number() });
const { cases, tTest } = z
  .object({
    cases: z.array(z.object({ confidence: z.number(), clusters: z.array(Cluster), expected: Numbers })),
    tTest: z.object({
      differences: z.array(z.number()),
      mean: z.number(),
      lowerBound: z.number(),
      confidence: z.number(),
    }),
  })
  .parse(JSON.parse(readFileSync(new URL('fixtures/paired-comparison.json', import.meta.url), 'utf8')));

const cluster = fc.record({
  rows: fc.integer({ min: 1, max: 10_000 }),
  champion: fc.double({ min: 0.01, max: 5000, noNaN: true }),
  candidate: fc.double({ min: 0.01, max: 5000, noNaN: true }),
});
const clusters = fc.array(cluster, { minLength: 2, maxLength: 30 });

describe('the paired comparison', () => {
  it('gives what SciPy gives by other formulas', () => {
    expect(cases.length).toBe(45);
    for (const { clusters: each, confidence, expected } of cases) {
      const found = comparePaired(each, confidence);
      for (const [name, value] of Object.entries(expected)) {
        expect(
          Numbers.shape[z.enum(['improvement', 'standardError', 'lowerBound']).parse(name)].parse(
            Reflect.get(found ?? {}, name),
          ),
        ).toBeCloseTo(value, 9);
      }
    }
  });

  it('is a t test over the days where all days have one size', () => {
    const days = tTest.differences.map((difference): PairedCluster => ({
      rows: 1000,
      champion: 1000,
      candidate: 1000 * (1 - difference),
    }));
    const found = comparePaired(days, tTest.confidence);
    expect(found?.improvement).toBeCloseTo(tTest.mean, 12);
    expect(found?.lowerBound).toBeCloseTo(tTest.lowerBound, 9);
  });

  it('turns its sign when the two are exchanged', () => {
    fc.assert(
      fc.property(clusters, (each) => {
        const there = comparePaired(each, 0.95);
        const back = comparePaired(
          each.map(({ rows, champion, candidate }) => ({ rows, champion: candidate, candidate: champion })),
          0.95,
        );
        // Each is relative to its own champion: in absolute terms they are opposite.
        const absolute = (of: typeof there): number => (of?.improvement ?? 0) * (of?.championLoss ?? 0);
        expect(absolute(there)).toBeCloseTo(-absolute(back), 9);
      }),
    );
  });

  it('depends neither on the order of the days nor on the unit of the loss', () => {
    fc.assert(
      fc.property(clusters, fc.double({ min: 0.1, max: 10, noNaN: true }), (each, unit) => {
        const found = comparePaired(each, 0.95);
        const turned = comparePaired(each.toReversed(), 0.95);
        const scaled = comparePaired(
          each.map(({ rows, champion, candidate }) => ({
            rows,
            champion: champion * unit,
            candidate: candidate * unit,
          })),
          0.95,
        );
        for (const other of [turned, scaled]) {
          expect(other?.improvement).toBeCloseTo(found?.improvement ?? Number.NaN, 6);
          expect(other?.standardError).toBeCloseTo(found?.standardError ?? Number.NaN, 6);
        }
      }),
    );
  });

  it('is the more careful the more confidence is asked for, and never above the estimate', () => {
    fc.assert(
      fc.property(clusters, fc.double({ min: 0.5, max: 0.99, noNaN: true }), (each, confidence) => {
        const lower = comparePaired(each, confidence)?.lowerBound ?? 0;
        const found = comparePaired(each, Math.min(0.999, confidence + 0.005));
        expect(found?.lowerBound ?? 0).toBeLessThanOrEqual(lower + 1e-9);
        expect(lower).toBeLessThanOrEqual((found?.improvement ?? 0) + 1e-9);
      }),
    );
  });

  it('says nothing where there is nothing to say', () => {
    const one = { rows: 10, champion: 4, candidate: 3 };
    expect(comparePaired([], 0.95)).toBeUndefined();
    expect(comparePaired([one], 0.95)).toBeUndefined();
    expect(comparePaired([one, { ...one, champion: -4 }], 0.95)).toBeUndefined();
    expect(comparePaired([one, { ...one, candidate: Number.NaN }], 0.95)).toBeUndefined();
    expect(
      comparePaired(
        [
          { ...one, rows: 0 },
          { ...one, rows: 0 },
        ],
        0.95,
      ),
    ).toBeUndefined();
  });

  it('is certain of identical models', () => {
    expect(
      comparePaired(
        [1, 2, 3].map((rows) => ({ rows, champion: rows, candidate: rows })),
        0.95,
      ),
    ).toMatchObject({ improvement: 0, standardError: 0, lowerBound: 0 });
  });
});

describe('the loss of the base rate', () => {
  it.each([
    [1, 2, Math.log(2)],
    [200, 1000, 0.5004024235381879],
    [0, 10, 0],
    [10, 10, 0],
  ])('of %i in %i is %f', (positives, rows, loss) => {
    expect(baseRateLoss(positives, rows)).toBeCloseTo(loss, 12);
  });
});
