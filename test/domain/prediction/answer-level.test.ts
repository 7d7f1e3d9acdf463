import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ModelDefinition } from '#domain/model/definition.ts';
import { digestOfJson } from '#domain/canonical/digest.ts';
import { BURN_WINDOWS, boundsOf, burnOf, type FoundOfWindow, objectiveOf } from '#domain/prediction/answer-level.ts';
import { online } from '#test/serving/_endpoint.ts';
import { definition } from '#test/use-cases/_environments.ts';

const OBJECTIVE = { share: 0.99, milliseconds: 1000 };
const AT = new Date('2026-03-02T11:58:00.000Z');
const series = (...values: readonly number[]) => values.map((value) => ({ at: AT, value }));

/** A window in which a hundred requests were answered in time. */
function found(log: FoundOfWindow['log'] = { answered: 100, slow: 0 }, metrics: object | string = {}): FoundOfWindow {
  const well = { calls: series(100), failed: [], answered: series(100) };
  return { log, metrics: typeof metrics === 'string' ? metrics : { ...well, ...metrics } };
}

describe('the objective', () => {
  it('is that of the model, and 99 of 100 where it names no share; a definition without one is what it was', () => {
    expect(objectiveOf(definition)).toBeUndefined();
    expect(objectiveOf(online)).toEqual({ share: 0.99, milliseconds: 1000 });
    const strict = { ...online, sla: { ...online.sla, answersWithinObjective: 0.999 } };
    expect(objectiveOf(ModelDefinition.parse(strict))).toEqual({ share: 0.999, milliseconds: 1000 });
    expect(digestOfJson(ModelDefinition.parse(online))).toBe(digestOfJson(online));
    for (const answersWithinObjective of [1, 0.4, Number.NaN])
      expect(ModelDefinition.safeParse({ ...online, sla: { ...online.sla, answersWithinObjective } }).success).toBe(
        false,
      );
  });
});

describe('the burn rate', () => {
  it.each([
    ['nothing is bad', found(), { burn: 0, badShare: 0, budget: { allowed: 1, spent: 0 } }],
    ['one of a hundred is slow', found({ answered: 100, slow: 1 }), { burn: 1, badShare: 0.01 }],
    [
      'failed ones are of the requests as well',
      found({ answered: 99, slow: 1 }, { failed: series(0, 1) }),
      { burn: 2, failed: 1 },
    ],
    [
      'nothing was answered',
      found({ answered: 0, slow: 0 }, { failed: series(7), answered: [] }),
      { burn: 100, badShare: 1 },
    ],
  ])('where %s', (_, given, expected) => {
    const burn = burnOf(given, OBJECTIVE);
    expect(burn.kind).toBe('measured');
    for (const [name, value] of Object.entries(expected))
      expect(burn[name as keyof typeof burn]).toEqual(
        typeof value === 'number' ? expect.closeTo(value, 9) : { allowed: expect.closeTo(1, 9), spent: 0 },
      );
  });

  it.each([
    ['the log cannot be read', found('AccessDenied'), /request log cannot be read: AccessDenied/],
    ['the metrics cannot be read', found(undefined, 'METRICS_UNREAD'), /CloudWatch cannot be read: METRICS_UNREAD/],
    ['the log lacks answers', found({ answered: 80, slow: 0 }), /not whole: it has 80 of 100 answers/],
    ['the API has no calls, and some were answered', found(undefined, { calls: [] }), /no calls of the API, and 100/],
    ['a metric is no number', found(undefined, { failed: series(Number.NaN) }), /metric of failed is no count: NaN/],
    ['a metric is negative', found(undefined, { calls: series(-1) }), /metric of calls is no count: -1/],
  ])('is not known, and never 0, where %s', (_, given, why) => {
    expect(burnOf(given, OBJECTIVE)).toEqual({ kind: 'unknown', why: expect.stringMatching(why) });
  });

  it('is none where nobody asked, or only probes and health checks came', () => {
    const nothing = { calls: [], failed: [], answered: [] };
    expect(burnOf(found({ answered: 0, slow: 0 }, nothing), OBJECTIVE)).toEqual({ kind: 'no-requests' });
    expect(burnOf(found({ answered: 0, slow: 0 }, { answered: [] }), OBJECTIVE)).toEqual({ kind: 'no-requests' });
  });

  it('is 1 where as many are bad as may be, and grows with each', () => {
    const count = fc.integer({ min: 0, max: 10_000 });
    fc.assert(
      fc.property(
        count,
        count,
        count,
        fc.double({ min: 0.5, max: 0.9999, noNaN: true }),
        (fast, slow, failed, share) => {
          const answered = fast + slow;
          const given = found(
            { answered, slow },
            { calls: series(answered + failed), failed: series(failed), answered: series(answered) },
          );
          const burn = burnOf(given, { share, milliseconds: 1 });
          if (answered + failed === 0) return burn.kind === 'no-requests';
          if (burn.kind !== 'measured') return false;
          const expected = (slow + failed) / (answered + failed) / (1 - share);
          return (
            Math.abs(burn.burn - expected) <= 1e-9 * Math.max(1, expected) &&
            burn.burn > 1 === burn.budget.spent > burn.budget.allowed
          );
        },
      ),
    );
  });
});

it('windows end where the log is whole, and begin with a period that CloudWatch still has', () => {
  const bounds = BURN_WINDOWS.map((window) => boundsOf(window, AT));
  expect(bounds.map(({ from }) => from.toISOString())).toEqual([
    '2026-03-02T10:58:00.000Z',
    '2026-03-02T05:58:00.000Z',
    '2026-01-31T11:00:00.000Z',
  ]);
  expect(bounds.map(({ until }) => until.toISOString())).toEqual([
    '2026-03-02T11:58:00.000Z',
    '2026-03-02T11:58:00.000Z',
    '2026-03-02T11:00:00.000Z',
  ]);
});
