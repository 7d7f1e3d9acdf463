import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  comparisonProcess,
  eValueOf,
  LOG_REJECTS_AT,
  logMean,
  logNotBadAtAll,
  pairedProcess,
  toleratedProcess,
} from '#domain/canary/e-process.ts';
import { badNumber } from '#domain/limits.ts';
import { mulberry32 } from '#domain/statistics/bootstrap.ts';
import { drawBinomial } from '#domain/statistics/draws.ts';

const side = fc.nat(30).chain((requests) => fc.record({ requests: fc.constant(requests), bad: fc.nat(requests) }));
const step = fc.record({ own: side, others: side });

describe('a comparison of two arms', () => {
  it('is unmoved by an outage in which everything fails, and by minutes without errors', () => {
    const process = comparisonProcess();
    process.add(10, 1, 90, 5);
    const before = process.logRegression();
    process.add(60, 60, 540, 540);
    process.add(60, 0, 540, 0);
    expect(process.logRegression()).toBe(before);
  });

  it('says the more, the more of the errors are its own', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 20 }), fc.nat(19), (steps, place) => {
        const of = (extra: number) => {
          const process = comparisonProcess();
          for (const [index, { own, others }] of steps.entries()) {
            // One more error of its own in place of one of the others'.
            const moves = index === place % steps.length && own.bad < own.requests && others.bad > 0 ? extra : 0;
            process.add(own.requests, own.bad + moves, others.requests, others.bad - moves);
          }
          return process;
        };
        expect(of(1).logRegression()).toBeGreaterThanOrEqual(of(0).logRegression() - 1e-9);
        for (const [index, log] of of(1).logNotBad().entries())
          expect(log).toBeLessThanOrEqual((of(0).logNotBad()[index] ?? 0) + 1e-9);
      }),
    );
  });

  it('keeps what came while one side had no requests', () => {
    const [apart, together] = [comparisonProcess(), comparisonProcess()];
    apart.add(3, 2, 0, 0);
    apart.add(0, 0, 20, 1);
    together.add(3, 2, 20, 1);
    expect(apart.logRegression()).toBe(together.logRegression());
    expect(apart.logRegression()).toBeGreaterThan(0);
  });

  it('finds a regression that begins late nearly as soon as one from the start', () => {
    /** Minutes of a doubled rate until it is found, after so many healthy ones. */
    const found = (healthy: number): number => {
      const process = comparisonProcess();
      for (let index = 0; index < healthy; index += 1) process.add(100, 2, 900, 18);
      for (let index = 1; ; index += 1) {
        process.add(100, 4, 900, 18);
        if (process.logRegression() >= LOG_REJECTS_AT) return index;
      }
    };
    expect(found(0)).toBeLessThan(12);
    // Evidence of a day's healthy minutes would have to be made up for during hours.
    expect(found(1440)).toBeLessThan(30);
  });

  it('is in the mean at most 1 where nothing is worse, whatever the shares of the minutes', () => {
    const random = mulberry32(19);
    const runs = 2000;
    let [sum, rejected] = [0, 0];
    for (let run = 0; run < runs; run += 1) {
      const process = comparisonProcess();
      let highest = -Infinity;
      for (let index = 0; index < 30; index += 1) {
        const own = drawBinomial(60, 0.04 + 0.14 * random(), random);
        const rate = 0.01 + 0.3 * random() ** 4;
        process.add(own, drawBinomial(own, rate, random), 60 - own, drawBinomial(60 - own, rate, random));
        highest = Math.max(highest, process.logRegression());
      }
      sum += Math.exp(process.logRegression());
      if (highest >= LOG_REJECTS_AT) rejected += 1;
    }
    expect(sum / runs).toBeLessThan(1.3);
    expect(rejected / runs).toBeLessThanOrEqual(0.01);
  });
});

describe('the evidence that a candidate is not bad', () => {
  const notBad = (steps: readonly (readonly [number, number, number, number])[]) => {
    const [tolerated, comparison] = [toleratedProcess(0.01), comparisonProcess()];
    for (const [own, ownBad, others, othersBad] of steps) {
      tolerated.add(own, ownBad);
      comparison.add(own, ownBad, others, othersBad);
    }
    return logNotBadAtAll(tolerated, comparison.logNotBad());
  };

  it('is enough after about 460 requests where neither has an error', () => {
    const needed = Array.from({ length: 1000 }, (_, index) => index).find(
      (requests) => notBad([[requests, 0, 9 * requests, 0]]) >= LOG_REJECTS_AT,
    );
    expect(needed).toBe(478);
    // Without any error of less than a hundredth: ln(100) / -ln(0.99).
    expect(Math.ceil(Math.log(100) / -Math.log(0.99))).toBe(459);
  });

  it('is never made of errors', () => {
    fc.assert(
      fc.property(fc.nat(2000), fc.integer({ min: 1, max: 20 }), (requests, errors) => {
        const counts = [requests + errors, 0, 9 * requests, Math.floor(requests / 50)] as const;
        expect(notBad([[counts[0], errors, counts[2], counts[3]]])).toBeLessThanOrEqual(notBad([counts]));
      }),
    );
  });

  it('is there for a candidate that fails as much as the champion, above the tolerated rate', () => {
    expect(notBad([[1000, 20, 9000, 180]])).toBeLessThan(LOG_REJECTS_AT);
    expect(notBad([[2000, 40, 18_000, 360]])).toBeGreaterThan(LOG_REJECTS_AT);
  });

  it('is found of a bad candidate in at most one of a hundred canaries', () => {
    const random = mulberry32(7);
    const runs = 800;
    // At the tolerated rate where that is larger, and at twice the champion's where that is.
    for (const [own, others] of [
      [0.01, 0.001],
      [0.04, 0.02],
    ] as const) {
      let finished = 0;
      for (let run = 0; run < runs; run += 1) {
        const [tolerated, comparison] = [toleratedProcess(0.01), comparisonProcess()];
        for (let index = 0; index < 100; index += 1) {
          const [ownBad, othersBad] = [drawBinomial(20, own, random), drawBinomial(180, others, random)];
          tolerated.add(20, ownBad);
          comparison.add(20, ownBad, 180, othersBad);
          if (logNotBadAtAll(tolerated, comparison.logNotBad()) < LOG_REJECTS_AT) continue;
          finished += 1;
          break;
        }
      }
      expect(finished / runs).toBeLessThanOrEqual(0.0125);
    }
  });
});

describe('the mean of e-values', () => {
  it('needs twice the evidence of one of two', () => {
    expect(logMean([Math.log(200), -50])).toBeCloseTo(Math.log(100), 9);
    expect(logMean([Math.log(100)])).toBeCloseTo(Math.log(100), 9);
  });
});

describe('pairs of answers', () => {
  it('are judged by those that differ, in one direction or in both', () => {
    const process = pairedProcess();
    process.add(12, 0);
    expect(process.logMore()).toBeGreaterThan(LOG_REJECTS_AT);
    const reverse = pairedProcess();
    reverse.add(0, 14);
    expect(reverse.logMore()).toBeLessThan(0);
    expect(reverse.logDifferent()).toBeGreaterThan(LOG_REJECTS_AT);
  });
});

describe('an e-value as it is recorded', () => {
  it.each([-1e6, -400, -30, -1, 0, 5, 40, 700, 1e6, Infinity, -Infinity])(
    'of the logarithm %d is a number that a ledger takes',
    (log) => {
      expect(badNumber(eValueOf(log))).toBeUndefined();
    },
  );

  it('is not changed where people compare it', () => {
    expect(eValueOf(Math.log(100))).toBeCloseTo(100);
    expect(eValueOf(0)).toBe(1);
  });
});
