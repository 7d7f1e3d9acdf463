import { describe, expect, it } from 'vitest';
import { CanaryRule, DEFAULT_TOLERATED_ERROR_RATE } from '#domain/policy/canary.ts';

const RULE = {
  share: 0.1,
  hours: 24,
  deadlineHours: 72,
  toleratedErrorRate: DEFAULT_TOLERATED_ERROR_RATE,
  noErrors: true,
  assignment: 'event',
  armMs: 2000,
  closeMinutes: 2,
  staleMinutes: 15,
  power: 0.9,
};

describe('the rule of a canary', () => {
  it('is ten per cent of the requests for a day without errors', () => {
    expect(CanaryRule.safeParse(RULE).success).toBe(true);
  });

  it.each([
    [{ share: 0.6 }, 'share'],
    [{ share: 0 }, 'share'],
    [{ deadlineHours: 23 }, 'deadlineHours'],
    [{ toleratedErrorRate: 0 }, 'toleratedErrorRate'],
    [{ noErrors: undefined }, 'noErrors'],
    [{ assignment: 'user' }, 'assignment'],
    [{ staleMinutes: 1 }, 'staleMinutes'],
    [{ shadow: { minimumPairs: 0, decisions: false } }, 'shadow.minimumPairs'],
  ])('is refused with %j, by the name of the field', (change, field) => {
    const { error } = CanaryRule.safeParse({ ...RULE, ...change });
    expect(error?.issues.map(({ path }) => path.join('.'))).toEqual([field]);
  });
});
