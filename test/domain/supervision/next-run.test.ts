import { describe, expect, it } from 'vitest';
import { GatehouseError } from '#domain/error.ts';
import { graceMs, nextOccurrence, nextRun } from '#domain/supervision/next-run.ts';

const runs = (expression: string, from: string, timezone = 'UTC', count = 3): readonly string[] => {
  const found: string[] = [];
  for (let at: Date | undefined = new Date(from); found.length < count;) {
    at = nextOccurrence({ expression, timezone }, at);
    if (at === undefined) break;
    found.push(at.toISOString().slice(0, 16));
  }
  return found;
};

describe('the next run of a cron', () => {
  it.each([
    [
      'days of the week count from Sunday, 1',
      'cron(0 6 ? * 2 *)',
      ['2026-01-05T06:00', '2026-01-12T06:00', '2026-01-19T06:00'],
    ],
    ['or have names', 'cron(0 6 ? * MON-WED,SAT *)', ['2026-01-03T06:00', '2026-01-05T06:00', '2026-01-06T06:00']],
    [
      'a range goes over the end of the week',
      'cron(0 6 ? * SAT-SUN *)',
      ['2026-01-03T06:00', '2026-01-04T06:00', '2026-01-10T06:00'],
    ],
    ['L as day of week is Saturday', 'cron(0 6 ? * L *)', ['2026-01-03T06:00', '2026-01-10T06:00', '2026-01-17T06:00']],
    [
      '6L is the last Friday of a month',
      'cron(0 6 ? * 6L *)',
      ['2026-01-30T06:00', '2026-02-27T06:00', '2026-03-27T06:00'],
    ],
    ['FRIL is the same', 'cron(0 6 ? * FRIL *)', ['2026-01-30T06:00', '2026-02-27T06:00', '2026-03-27T06:00']],
    ['3#2 is the second Tuesday', 'cron(0 6 ? * 3#2 *)', ['2026-01-13T06:00', '2026-02-10T06:00', '2026-03-10T06:00']],
    ['L is the last day of a month', 'cron(0 6 L * ? *)', ['2026-01-31T06:00', '2026-02-28T06:00', '2026-03-31T06:00']],
    ['LW is the last weekday', 'cron(0 6 LW * ? *)', ['2026-01-30T06:00', '2026-02-27T06:00', '2026-03-31T06:00']],
    [
      '15W is the weekday nearest to the 15th',
      'cron(0 6 15W * ? *)',
      ['2026-01-15T06:00', '2026-02-16T06:00', '2026-03-16T06:00'],
    ],
    [
      'a month has a name, which may end like L',
      'cron(0 6 1 JUL ? *)',
      ['2026-07-01T06:00', '2027-07-01T06:00', '2028-07-01T06:00'],
    ],
    [
      'a step begins where it says',
      'cron(50/4 6 2 1 ? *)',
      ['2026-01-02T06:50', '2026-01-02T06:54', '2026-01-02T06:58'],
    ],
    ['hours go over midnight', 'cron(0 22-0/2 ? * * *)', ['2026-01-02T00:00', '2026-01-02T22:00', '2026-01-03T00:00']],
    ['years', 'cron(0 6 1 1 ? 2027,2029)', ['2027-01-01T06:00', '2029-01-01T06:00']],
    ['it may never come again', 'cron(0 6 1 1 ? 2025)', []],
  ])('%s', (_, expression, expected) => {
    expect(runs(expression, '2026-01-01T22:00:00Z')).toEqual(expected);
  });

  it.each([
    [
      'is skipped where the clock is put forward over it',
      '2026-03-28T12:00:00Z',
      ['2026-03-30T00:30', '2026-03-31T00:30'],
    ],
    [
      'comes once where the clock is put back over it',
      '2026-10-24T12:00:00Z',
      ['2026-10-25T00:30', '2026-10-26T01:30'],
    ],
  ])('%s', (_, from, expected) => {
    expect(runs('cron(30 2 * * ? *)', from, 'Europe/Berlin', 2)).toEqual(expected);
  });

  it('counts from a heartbeat that came a second before its time by the clock of whoever left it', () => {
    const timing = { expression: 'cron(0 6 * * ? *)', timezone: 'UTC' };
    expect(nextRun(timing, new Date('2026-01-02T05:59:59Z'))?.toISOString()).toBe('2026-01-03T06:00:00.000Z');
  });

  it('is refused where AWS would refuse the expression', () => {
    expect(() => runs('cron(0 6 1 * 2 *)', '2026-01-01T00:00:00Z')).toThrow(GatehouseError);
  });
});

it.each([
  ['rate(1 minute)', 5],
  ['rate(15 minutes)', 15],
  ['rate(1 hour)', 60],
  ['rate(1 day)', 75],
  ['cron(0/5 * * * ? *)', 5],
  ['cron(0 6 ? * 2 *)', 75],
  ['cron(0 6 1 1 ? 2026)', 75],
])('a run of %s may be %i minutes late', (expression, minutes) => {
  expect(graceMs({ expression, timezone: 'UTC' }, new Date('2026-01-01T06:00:00Z'))).toBe(minutes * 60_000);
});
