import { describe, expect, it } from 'vitest';
import { badRateOf, type CanaryPlan, planCanary, simulateCanary } from '#domain/canary/power.ts';

const PLAN: CanaryPlan = {
  requestsPerSecond: 0.5,
  share: 0.1,
  hours: 24,
  errorRate: 0.02,
  toleratedErrorRate: 0.01,
  power: 0.9,
};

describe('the power of a canary', () => {
  it('is of the smallest bad rate: twice the odds of the champion’s, and at least the tolerated one', () => {
    expect(badRateOf({ errorRate: 0, toleratedErrorRate: 0.01 })).toBe(0.01);
    expect(badRateOf({ errorRate: 0.004, toleratedErrorRate: 0.01 })).toBe(0.01);
    expect(badRateOf({ errorRate: 0.02, toleratedErrorRate: 0.01 })).toBeCloseTo(0.0392, 4);
    expect(badRateOf({ errorRate: 0.5, toleratedErrorRate: 0.01 })).toBeCloseTo(2 / 3, 12);
  });

  it('suffices with much traffic, and does not with little', () => {
    const { canStart, healthy, bad, helps } = planCanary(PLAN, 60);
    expect({ canStart, helps }).toEqual({ canStart: true, helps: [] });
    expect(healthy.aborted).toBeLessThanOrEqual(0.02);
    expect(healthy.finished).toBeGreaterThan(0.9);
    expect(bad.finished).toBeLessThanOrEqual(0.02);
    for (const { aborted, finished, inconclusive } of [healthy, bad])
      expect(aborted + finished + inconclusive).toBeCloseTo(1, 12);
    const few = planCanary({ ...PLAN, requestsPerSecond: 0.02 }, 60);
    expect(few.canStart).toBe(false);
    expect(few.bad.aborted).toBeLessThan(0.5);
    expect(few.expectedRequests).toEqual({ candidate: 173, all: 1728 });
  });

  it('is larger for longer and larger canaries, and for a worse candidate', () => {
    const power = (change: Partial<CanaryPlan>, rate: number) =>
      simulateCanary({ ...PLAN, requestsPerSecond: 0.1, ...change }, rate, 60, 1).aborted;
    const plain = power({}, 0.04);
    expect(power({ hours: 72 }, 0.04)).toBeGreaterThan(plain);
    expect(power({ share: 0.3 }, 0.04)).toBeGreaterThan(plain);
    expect(power({}, 0.1)).toBeGreaterThan(plain);
  });

  it('is helped by what is then enough', () => {
    const plan = { ...PLAN, requestsPerSecond: 0.1, errorRate: 0.001 };
    const { helps } = planCanary(plan, 60);
    expect(helps.length).toBeGreaterThan(0);
    for (const { share, hours } of helps) expect(planCanary({ ...plan, share, hours }, 60).canStart).toBe(true);
  });

  it('is said of any traffic, however much', () => {
    const { canStart, healthy, expectedRequests } = planCanary({ ...PLAN, requestsPerSecond: 1e6 }, 5);
    expect({ canStart, finished: healthy.finished, all: expectedRequests.all }).toEqual({
      canStart: true,
      finished: 1,
      all: 86_400_000_000,
    });
  });

  it('is none without traffic', () => {
    const { bad, healthy, canStart } = planCanary({ ...PLAN, requestsPerSecond: 1e-9 }, 20);
    expect(canStart).toBe(false);
    for (const each of [bad, healthy])
      expect(each).toMatchObject({ aborted: 0, finished: 0, inconclusive: 1, hoursToAbort: null, hoursToProof: null });
  });
});
