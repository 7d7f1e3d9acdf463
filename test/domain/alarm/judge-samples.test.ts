import { describe, expect, it } from 'vitest';
import { judgeSamples, lowerBound } from '#domain/alarm/judge-samples.ts';
import type { Series } from '#domain/alarm/samples.ts';
import { SERVING } from './_serving.ts';

const AT = Date.parse('2026-03-02T09:00:00.000Z');
/** Values of consecutive minutes. */
const minutes = (...values: readonly number[]): Series =>
  values.map((value, index) => ({ at: new Date(AT + index * 60_000), value }));

describe('errors', () => {
  const errors = (given: Readonly<Record<string, number>>) =>
    judgeSamples(
      'errors',
      SERVING,
      Object.fromEntries(Object.entries(given).map(([name, value]) => [name, minutes(value)])),
    );

  it('are proven by their share, not by their number', () => {
    expect(errors({ count: 200, failed: 30, errors: 30 }).isProven).toBe(true);
    expect(errors({ count: 2000, failed: 30, errors: 30 }).isProven).toBe(false);
  });

  it('are not proven by a share that chance explains, or by too few', () => {
    // 8 % of a hundred: the lower bound is 4 %.
    expect(errors({ count: 100, failed: 8, errors: 8 })).toMatchObject({ isProven: false, values: { failed: 8 } });
    expect(errors({ count: 4, failed: 4, crashed: 4 }).isProven).toBe(false);
    expect(errors({ count: 5, failed: 5, crashed: 5 }).isProven).toBe(true);
  });

  it('leave out a storm of throttles, and what lacks something beside the release', () => {
    expect(errors({ count: 200, failed: 100, throttled: 100 })).toMatchObject({
      isProven: false,
      values: { failed: 0 },
    });
    const late = errors({ count: 200, failed: 100, errors: 2, unavailable: 98 });
    expect(late).toMatchObject({ isProven: false, values: { failed: 2, unavailable: 98 } });
    expect(late.found).toContain('2 of 102 requests failed in 5 minutes (0 throttled, 98 for something beside');
  });

  it('are not what is left over: where the reason comes late, or never, nothing is proven', () => {
    expect(errors({ count: 200, failed: 200, unavailable: 180 }).isProven).toBe(false);
    expect(errors({ count: 200, failed: 200 }).isProven).toBe(false);
    // The API's own count bounds them: a function that is invoked otherwise fails nobody's request.
    expect(errors({ count: 200, failed: 0, crashed: 50 }).isProven).toBe(false);
  });

  it('are seen of a release that hangs until its calls are throttled', () => {
    expect(errors({ count: 15_000, failed: 15_000, crashed: 120, throttled: 14_880 })).toMatchObject({
      isProven: true,
      values: { requests: 120, failed: 120 },
    });
  });

  it('do not count probes', () => {
    expect(errors({ count: 5, failed: 5, crashed: 5, probes: 5, failedProbes: 5 })).toMatchObject({
      isProven: false,
      values: { requests: 0, failed: 0 },
    });
  });

  it('count the minutes together, those that come twice as AWS gives them once', () => {
    const series = { count: minutes(20, 20, 20), failed: minutes(5, 0, 10), crashed: minutes(5, 0, 10) };
    expect(judgeSamples('errors', SERVING, series).values).toMatchObject({ requests: 60, failed: 15 });
  });
});

describe('latency', () => {
  it('is proven where more than one answer in a hundred is slow', () => {
    expect(judgeSamples('latency', SERVING, { answers: minutes(500), slow: minutes(12) }).isProven).toBe(true);
    expect(judgeSamples('latency', SERVING, { answers: minutes(5000), slow: minutes(55) }).isProven).toBe(false);
  });

  it('is not proven by a few cold starts', () => {
    expect(judgeSamples('latency', SERVING, { answers: minutes(10), slow: minutes(4) }).isProven).toBe(false);
  });
});

describe('health', () => {
  const health = (probeFailed: Series, throttled: Series = []) =>
    judgeSamples('health', SERVING, { probeFailed, throttled });

  it('is proven by three failed probes in a row, the newest ones', () => {
    expect(health(minutes(0, 1, 1, 1)).isProven).toBe(true);
    expect(health(minutes(1, 1, 1, 0)).isProven).toBe(false);
    expect(health(minutes(1, 1)).isProven).toBe(false);
  });

  it('looks at the time of a probe, not at the order in which it is read', () => {
    expect(health(minutes(1, 1, 1, 0).toReversed()).isProven).toBe(false);
  });

  it('takes a probe that is missing for none', () => {
    const [first, , third, fourth, fifth] = minutes(1, 0, 1, 1, 1);
    expect(health([first, third, fourth, fifth].filter((each) => each !== undefined)).isProven).toBe(true);
  });

  it('is not proven by minutes in which calls were throttled, and is by others', () => {
    expect(health(minutes(1, 1, 1), minutes(0, 3)).isProven).toBe(false);
    expect(health(minutes(1, 1, 1, 1), minutes(3)).isProven).toBe(true);
  });
});

it.each(['errors', 'latency', 'health'] as const)('%s are not proven by nothing', (kind) => {
  expect(judgeSamples(kind, SERVING, {}).isProven).toBe(false);
});

it.each([Number.NaN, -1, Number.POSITIVE_INFINITY])('nothing is proven by a value of %d', (value) => {
  const judged = judgeSamples('errors', SERVING, { count: minutes(100), failed: minutes(50, value) });
  expect(judged).toEqual({ isProven: false, found: 'failed has a value that is no count', values: {} });
});

it('gives the exact bound: of n of n it is the n-th root of the rest', () => {
  expect(lowerBound(10, 10, 0.95)).toBeCloseTo(0.05 ** (1 / 10), 10);
  expect(lowerBound(0, 10, 0.95)).toBe(0);
  // 5 of 20: Clopper and Pearson's one-sided limit.
  expect(lowerBound(5, 20, 0.95)).toBeCloseTo(0.1041, 4);
});
