import { describe, expect, it } from 'vitest';
import { addDays } from '#domain/data/partition.ts';
import { type DayRows, judgeRowCounts } from '#domain/data/row-counts.ts';

const RULE = { tolerance: 0.3, weeks: 4, minimumWeeks: 2 };

/** Six weeks from a Monday on, in which Sundays have half of a weekday's rows. */
const DAYS: DayRows[] = Array.from({ length: 42 }, (_, index) => ({
  kind: 'events',
  day: addDays('2001-01-01', index),
  rows: index % 7 === 6 ? 500 : 1000,
}));

function changed(from: string, until: string, share: number): DayRows[] {
  return DAYS.map((each) => (each.day >= from && each.day <= until ? { ...each, rows: each.rows * share } : each));
}

describe('judgeRowCounts', () => {
  it('passes a source that has its week', () => {
    expect(judgeRowCounts(DAYS, RULE)).toEqual({ verdict: 'PASS', reasons: [], judged: 28, unjudged: 14 });
  });

  it.each([
    ['half of the rows', 0.5, '500 rows, usual are 1000'],
    ['twice the rows', 2, '2000 rows, usual are 1000'],
    ['no rows', 0, '0 rows, usual are 1000'],
  ])('fails a day with %s, by name', (_, share, said) => {
    const { verdict, reasons } = judgeRowCounts(changed('2001-01-22', '2001-01-22', share), RULE);
    expect(verdict).toBe('FAIL');
    expect(reasons).toEqual([`events of 2001-01-22: ${said}, allowed: within 30 % of it`]);
  });

  it('allows what the tolerance allows, up and down', () => {
    expect(judgeRowCounts(changed('2001-01-22', '2001-01-22', 0.7), RULE).verdict).toBe('PASS');
    expect(judgeRowCounts(changed('2001-01-22', '2001-01-22', 1.3), RULE).verdict).toBe('PASS');
  });

  it('tells the first days of a long fault, by which it would else become usual', () => {
    const { reasons } = judgeRowCounts(changed('2001-01-22', '2001-02-11', 0.5), RULE);
    expect(reasons[0]).toContain('events of 2001-01-22');
    expect(reasons.length).toBeGreaterThanOrEqual(14);
  });

  it('does not follow one bad day of the past', () => {
    const later = judgeRowCounts(changed('2001-01-15', '2001-01-15', 0.1), RULE, '2001-01-16');
    expect(later).toMatchObject({ verdict: 'PASS', reasons: [] });
  });

  it('is inconclusive without a past', () => {
    expect(judgeRowCounts(DAYS.slice(0, 13), RULE)).toEqual({
      verdict: 'INCONCLUSIVE',
      reasons: [],
      judged: 0,
      unjudged: 13,
    });
    expect(judgeRowCounts([], RULE).verdict).toBe('INCONCLUSIVE');
  });

  it('judges each kind by its own past, in any order', () => {
    const labels = DAYS.map((each): DayRows => ({ ...each, kind: 'labels', rows: each.rows * 3 }));
    expect(judgeRowCounts([...labels, ...DAYS].toReversed(), RULE)).toMatchObject({ verdict: 'PASS', judged: 56 });
  });

  it('reports a day that has rows where none are usual', () => {
    const silent = DAYS.map((each) => (each.day === '2001-02-05' ? each : { ...each, rows: 0 }));
    expect(judgeRowCounts(silent, RULE).reasons).toEqual([
      'events of 2001-02-05: 1000 rows, usual are 0, allowed: within 30 % of it',
    ]);
  });
});
