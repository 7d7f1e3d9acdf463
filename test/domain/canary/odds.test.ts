import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { logAdded, logMeanOdds, logMixture } from '#domain/canary/odds.ts';

/** Of one odds ratio. */
function logMean(own: number, others: number, bad: number, odds: number): number {
  return logMeanOdds(own, others, bad, [odds])[0] ?? Number.NaN;
}

/** C(n, k), exactly. */
function choose(n: number, k: number): bigint {
  let product = 1n;
  for (let index = 1; index <= k; index += 1) product = (product * BigInt(n - k + index)) / BigInt(index);
  return product;
}

/** The mean of `odds ** k` over the hypergeometric distribution, term by term. */
function meanOdds(own: number, others: number, bad: number, odds: number): number {
  let [sum, all] = [0, 0];
  for (let k = Math.max(0, bad - others); k <= Math.min(own, bad); k += 1) {
    const ways = Number(choose(own, k) * choose(others, bad - k));
    sum += ways * odds ** k;
    all += ways;
  }
  return sum / all;
}

const table = fc
  .record({ own: fc.nat(40), others: fc.nat(60), of: fc.double({ min: 0, max: 1, noNaN: true }) })
  .map(({ own, others, of }) => ({ own, others, bad: Math.floor(of * (own + others)) }));
const oddsRatio = fc.double({ min: 0.05, max: 20, noNaN: true });

describe('the mean odds of a 2 x 2 table', () => {
  it('are the sum over all tables with its margins', () => {
    fc.assert(
      fc.property(table, oddsRatio, ({ own, others, bad }, odds) => {
        expect(logMean(own, others, bad, odds)).toBeCloseTo(Math.log(meanOdds(own, others, bad, odds)), 9);
      }),
    );
  });

  it('make the likelihood ratio 1 in the mean, whatever the table', () => {
    fc.assert(
      fc.property(table, oddsRatio, ({ own, others, bad }, odds) => {
        const normaliser = logMean(own, others, bad, odds);
        let [mean, all] = [0, 0];
        for (let k = Math.max(0, bad - others); k <= Math.min(own, bad); k += 1) {
          const ways = Number(choose(own, k) * choose(others, bad - k));
          mean += ways * Math.exp(k * Math.log(odds) - normaliser);
          all += ways;
        }
        expect(mean / all).toBeCloseTo(1, 9);
      }),
    );
  });

  it.each([
    ['nothing is bad', 30, 70, 0, 0],
    ['everything is bad', 30, 70, 100, 30 * Math.log(3)],
    ['there are no others', 30, 0, 12, 12 * Math.log(3)],
    ['there are none of its own', 0, 70, 12, 0],
  ])('say nothing where %s', (_, own, others, bad, expected) => {
    expect(logMean(own, others, bad, 3)).toBeCloseTo(expected, 12);
  });

  it('are finite for large tables', () => {
    for (const odds of [0.5, 2, 10])
      for (const bad of [1, 5_000, 300_000, 599_999])
        expect(Number.isFinite(logMean(60_000, 540_000, bad, odds)), `${bad}`).toBe(true);
    // Nearly binomial: of 100 bad requests each is its own with a probability of one tenth.
    expect(logMean(1e8, 9e8, 100, 2)).toBeCloseTo(100 * Math.log(1.1), 4);
  });
});

describe('sums of logarithms', () => {
  it('are those of the numbers, and survive what is out of range', () => {
    expect(logAdded(Math.log(2), Math.log(3))).toBeCloseTo(Math.log(5), 12);
    expect(logAdded(-Infinity, -Infinity)).toBe(-Infinity);
    expect(logMixture([0.5, 0.5], [2000, 2000])).toBeCloseTo(2000, 12);
    expect(logMixture([0.25, 0.75], [-Infinity, 0])).toBeCloseTo(Math.log(0.75), 12);
    expect(logMixture([1], [-Infinity])).toBe(-Infinity);
  });
});
