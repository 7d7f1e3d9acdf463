import { describe, expect, it } from 'vitest';
import { mulberry32 } from '#domain/statistics/bootstrap.ts';
import { fixedThreshold, mannWhitneyWindows, mannWhitneyZ, peekedZTest } from '../../bench/_canary-anchors.ts';
import { HEALTHY, PER_MINUTE, WORSE } from '../../bench/_canary-cases.ts';

const arm = (requests: number, errors = 0) => ({ requests, errors, slow: 0, late: 0 });

describe('the anchors of the canary’s bench', () => {
  it('rank as Mann and Whitney do, with ties', () => {
    // norm.isf of the p of scipy.stats.mannwhitneyu(..., alternative='greater', use_continuity=False, method='asymptotic').
    expect(mannWhitneyZ([6, 7, 8, 9, 10], [1, 2, 3, 4, 5])).toBeCloseTo(2.6111648393, 8);
    expect(mannWhitneyZ([0, 0, 1, 2], [0, 0, 0, 1])).toBeCloseTo(0.8333333333, 8);
    expect(mannWhitneyZ([1, 1], [1, 1])).toBe(0);
    expect(mannWhitneyZ([1, 2], [3, 4])).toBe(-mannWhitneyZ([3, 4], [1, 2]));
  });

  it('abort where they are worse by far, and not where nothing fails', () => {
    for (const [anchor, fails] of [
      [fixedThreshold('errors', 0.04), true],
      [peekedZTest('errors'), true],
      [mannWhitneyWindows('errors'), true],
      [fixedThreshold('errors', 0.04), false],
      [peekedZTest('errors'), false],
      [mannWhitneyWindows('errors'), false],
    ] as const) {
      const aborted = Array.from({ length: 60 }, (_, minute) =>
        anchor(minute, { candidate: arm(10, fails ? 5 : 0), control: arm(10), champion: arm(80) }),
      );
      expect(aborted.includes(true)).toBe(fails);
    }
  });
});

describe('the traffic of the canary’s bench', () => {
  it.each(Object.entries({ ...HEALTHY, ...WORSE }))(
    'of %s has as many requests in each minute, and no more errors than those',
    (_, one) => {
      const minuteOf = one.prepare(mulberry32(1));
      for (let minute = 0; minute < 20; minute += 1) {
        const { candidate, control, champion } = minuteOf(minute).counts;
        expect(candidate.requests + control.requests + champion.requests).toBe(PER_MINUTE);
        for (const { requests, errors, slow } of [candidate, control, champion]) {
          expect(errors).toBeLessThanOrEqual(requests);
          expect(slow).toBeLessThanOrEqual(requests);
        }
      }
    },
  );
});
