import { describe, expect, it } from 'vitest';
import { subjectOf } from '#domain/report/evaluation-report.ts';
import { judgeComparison } from '#domain/comparison/judge.ts';
import { fortnight } from '../gates/_measure.ts';
import { CHOSEN, fullMeasure, OTHER, report } from './_report.ts';

describe('an evaluation report', () => {
  it('keeps the days that chose apart from those that judged, and shows every candidate', () => {
    const found = report();
    expect(found.candidates.map(({ release, window, isChosen }) => [release, window, isChosen])).toEqual([
      [CHOSEN, 'long', true],
      [OTHER, 'short', false],
    ]);
    const own = subjectOf(found);
    expect(own.test.judgement).toEqual(judgeComparison(fullMeasure(0.03), found.rule));
    expect(own.selection.judgement.figures?.point).toBeCloseTo(0.03, 9);
    expect(own.selection.measure).not.toBe(own.test.measure);
    expect(own.test).toMatchObject({ first: '2001-03-01', last: '2001-03-14', baseRate: 0.2 });
    expect(own.test.weeks).toHaveLength(3);
    expect(found.driftRule).toEqual({ stable: ['x'], index: 0.1 });
    expect(found.cost?.candidate.truePositives).toBe(14 * 110);
  });

  it('is about one candidate, and says so of those that were not chosen', () => {
    const found = report({ of: OTHER });
    expect(subjectOf(found).window).toBe('short');
    expect(found.conclusion).toMatchObject({ verdict: 'PASS', isChosen: false });
  });

  it('says nothing of what was not measured or not asked', () => {
    const found = report({ test: fortnight(0.03) });
    expect(found).toMatchObject({ scores: null, cost: null });
  });
});
