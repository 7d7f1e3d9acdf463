import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  baseRateLoss,
  clustersToProve,
  comparePaired,
  type PairedCluster,
  type PairedComparison,
} from '#domain/statistics/paired-comparison.ts';
import { fixture } from './_fixture.ts';

const clusters = fc.array(
  fc.record({
    champion: fc.double({ min: 0.01, max: 5000, noNaN: true }),
    candidate: fc.double({ min: 0.01, max: 5000, noNaN: true }),
  }),
  { minLength: 2, maxLength: 30 },
);

function compare(of: readonly PairedCluster[], confidence = 0.95): PairedComparison {
  const found = comparePaired(of, confidence);
  if (found === undefined) throw new Error('nothing to compare');
  return found;
}

describe('the paired comparison', () => {
  it('gives what SciPy’s paired t test gives', () => {
    expect(fixture.paired.length).toBe(54);
    for (const { champion, candidate, confidence, expected } of fixture.paired) {
      const found = compare(
        champion.map((loss, index) => ({ champion: loss, candidate: candidate[index] ?? Number.NaN })),
        confidence,
      );
      expect(found.clusters).toBe(champion.length);
      for (const name of ['improvement', 'standardError', 'lowerBound', 'upperBound', 'worse'] as const)
        expect(found[name]).toBeCloseTo(expected[name], 9);
    }
  });

  it('turns its sign when the two are exchanged', () => {
    fc.assert(
      fc.property(clusters, (each) => {
        const there = compare(each);
        const back = compare(each.map(({ champion, candidate }) => ({ champion: candidate, candidate: champion })));
        // Each is relative to its own champion: where one is 1 - r, the other is 1 - 1/r.
        expect((1 - there.improvement) * (1 - back.improvement)).toBeCloseTo(1, 6);
        expect(there.worse + back.worse).toBeCloseTo(there.standardError > 0 ? 1 : there.worse + back.worse, 6);
      }),
    );
  });

  it('depends neither on the order of the clusters nor on the unit of the loss', () => {
    fc.assert(
      fc.property(clusters, fc.double({ min: 0.1, max: 10, noNaN: true }), (each, unit) => {
        const found = compare(each);
        const scaled = each.map(({ champion, candidate }) => ({
          champion: champion * unit,
          candidate: candidate * unit,
        }));
        for (const other of [compare(each.toReversed()), compare(scaled)]) {
          // What is left of a difference is as exact as the larger of the two losses was.
          const scale = 1 + Math.abs(found.improvement) + found.standardError;
          expect(other.improvement / scale).toBeCloseTo(found.improvement / scale, 9);
          expect(other.standardError / scale).toBeCloseTo(found.standardError / scale, 9);
        }
      }),
    );
  });

  it('is the more careful the more confidence is asked for, and holds its estimate', () => {
    fc.assert(
      fc.property(clusters, fc.double({ min: 0.5, max: 0.99, noNaN: true }), (each, confidence) => {
        const [found, surer] = [compare(each, confidence), compare(each, confidence + 0.005)];
        expect(surer.lowerBound).toBeLessThanOrEqual(found.lowerBound);
        expect(surer.upperBound).toBeGreaterThanOrEqual(found.upperBound);
        expect(found.lowerBound).toBeLessThanOrEqual(found.improvement);
        expect(found.upperBound).toBeGreaterThanOrEqual(found.improvement);
      }),
    );
  });

  it('says nothing where there is nothing to say', () => {
    const one = { champion: 4, candidate: 3 };
    for (const of of [
      [],
      [one],
      [one, { champion: -4, candidate: 1 }],
      [one, { ...one, candidate: Number.NaN }],
      [one, { ...one, champion: Number.POSITIVE_INFINITY }],
    ])
      expect(comparePaired(of, 0.95)).toBeUndefined();
  });

  it('is certain where every cluster says the same', () => {
    const same = [1, 2, 3].map((loss) => ({ champion: loss, candidate: loss }));
    expect(compare(same)).toMatchObject({ improvement: 0, standardError: 0, lowerBound: 0, upperBound: 0, worse: 1 });
    const worse = [1, 2, 3].map((loss) => ({ champion: loss, candidate: loss + 1 }));
    expect(compare(worse)).toMatchObject({ improvement: -0.5, lowerBound: -0.5, worse: 0 });
  });
});

describe('how many clusters would prove a gain', () => {
  it('is the least number whose bound is above 0', () => {
    // 1 % with a spread of 3 % per day: t(0.95, G - 1) x 3 / sqrt(G) < 1 from 27 days on (1.7056 x 3 / 5.196 = 0.985).
    const found = { improvement: 0.01, standardError: 0.03 / Math.sqrt(14), clusters: 14 };
    expect(clustersToProve(found, 0.95)).toBe(27);
    expect(clustersToProve({ ...found, improvement: 0 }, 0.95)).toBeUndefined();
    expect(clustersToProve({ ...found, standardError: 0 }, 0.95)).toBe(2);
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
