import { describe, expect, it } from 'vitest';
import type { ComparisonMeasure } from '#domain/comparison/measure.ts';
import { judgeLive, type LiveEvidence } from '#domain/comparison/live-judgement.ts';
import { fortnight, measure } from '#test/domain/gates/_measure.ts';
import { comparisonRule, probationRule } from '#test/domain/policy/_rule.ts';
import { fixture } from '../statistics/_fixture.ts';

const comparison = comparisonRule({
  minimumRows: 2000,
  minimumDays: 14,
  provisional: { minimumImprovement: 0.0025, tolerance: 0.01 },
});
const probation = probationRule(7);
type Sums = (typeof fixture.live)[number]['byDay'];

/** What DuckDB would have measured: SciPy's sums, with predictions that are right on the average. */
function measured(sums: Sums, served: number): ComparisonMeasure {
  const clusters = sums.map(([rows, positives, champion, candidate], index) => ({
    cluster: String(index).padStart(4, '0'),
    rows,
    positives,
    champion: { logLoss: champion, brier: champion / 3, predicted: positives },
    candidate: { logLoss: candidate, brier: candidate / 3, predicted: positives },
  }));
  const comparedRows = sums.reduce((total, [rows]) => total + rows, 0);
  return { ...measure([]), clusters, comparedRows, featureRows: served, unlabelled: served - comparedRows };
}

/** A week in which the release gains this share, with so many rows a day, of which each has a label. */
function week(gain: number, days = 7): ComparisonMeasure {
  const { clusters, ...rest } = fortnight(gain);
  const some = clusters.slice(0, days);
  return { ...rest, clusters: some, comparedRows: some.length * 1000, featureRows: some.length * 1000 };
}

function judge(evidence: Partial<LiveEvidence>) {
  return judgeLive({ fast: null, slow: null, days: 7, isProvisional: true, ...evidence }, comparison, probation);
}

describe('a release that is served is judged on labels that arrived', () => {
  it('comes to what SciPy’s bounds and the rule in other words come to', () => {
    const seen = new Set<string>();
    for (const { days, rows, byEntityAndDay, byDay, fast, slow, verdict, rule } of fixture.live) {
      const found = judge({ fast: measured(byEntityAndDay, rows), slow: measured(byDay, rows), days });
      expect([found.verdict, found.rule]).toEqual([verdict, rule]);
      const matured = byDay.reduce((total, [each]) => total + each, 0);
      expect(found.maturity).toEqual({ served: rows, matured, share: matured / rows });
      if (found.fast !== null) {
        expect(found.fast.point).toBeCloseTo(fast.improvement, 9);
        expect(found.fast.interval[0]).toBeCloseTo(fast.lowerBound, 9);
        expect(found.fast.interval[1]).toBeCloseTo(fast.upperBound, 9);
      } else expect(matured).toBeLessThan(5000);
      const figures = found.slow?.figures ?? null;
      if (figures !== null) {
        expect(figures.point).toBeCloseTo(slow.improvement, 9);
        expect(figures.interval[0]).toBeCloseTo(slow.lowerBound, 9);
      }
      seen.add(`${verdict} by ${rule}`);
    }
    expect([...seen].toSorted()).toEqual([
      'CONFIRM by slow',
      'ROLL_BACK by fast',
      'ROLL_BACK by slow',
      'WAIT by too-early',
    ]);
  });

  it.each([
    ['rolls back what is clearly worse on the second day', { fast: week(-0.05), days: 2 }, 'ROLL_BACK', 'fast'],
    [
      'rolls back what is clearly worse although the days say that it is better',
      { fast: week(-0.05), slow: week(0.02) },
      'ROLL_BACK',
      'fast',
    ],
    ['bears a loss that is not large', { fast: week(-0.019), days: 2 }, 'WAIT', 'too-early'],
    ['bears a large loss on too few labels', { fast: week(-0.2, 4), days: 2 }, 'WAIT', 'too-early'],
    [
      'waits until the days are over, however good it is',
      { fast: week(0.05), slow: week(0.05), days: 6 },
      'WAIT',
      'too-early',
    ],
    ['confirms what is proven', { slow: week(0.02) }, 'CONFIRM', 'slow'],
    ['confirms what is likely', { slow: week(0.003) }, 'CONFIRM', 'slow'],
    ['believes a gain that no holdout would be believed', { slow: week(0.2) }, 'CONFIRM', 'slow'],
    ['confirms on the days that have labels', { slow: week(0.02, 5) }, 'CONFIRM', 'slow'],
    ['rolls back what has labels on too few days', { slow: week(0.02, 4) }, 'ROLL_BACK', 'slow'],
    ['rolls back what is no better', { slow: week(0) }, 'ROLL_BACK', 'slow'],
    ['rolls back what is worse by little', { slow: week(-0.01) }, 'ROLL_BACK', 'slow'],
    ['rolls back what nothing is known of', {}, 'ROLL_BACK', 'slow'],
    [
      'rolls back what cannot be judged',
      { slow: { ...week(0.02), flaws: ['a column is missing'] } },
      'ROLL_BACK',
      'slow',
    ],
    ['judges late by all that has come', { slow: fortnight(0.02), days: 14 }, 'CONFIRM', 'slow'],
    [
      'lets what was proven be, when the days are over',
      { slow: week(-0.01), isProvisional: false },
      'WAIT',
      'too-early',
    ],
    [
      'rolls back what was proven and is clearly worse',
      { fast: week(-0.05), days: 2, isProvisional: false },
      'ROLL_BACK',
      'fast',
    ],
  ] satisfies [string, Partial<LiveEvidence>, string, string][])('%s', (_, evidence, verdict, rule) => {
    const found = judge(evidence);
    expect([found.verdict, found.rule]).toEqual([verdict, rule]);
    expect(found.reason).not.toBe('');
    expect(found.change).not.toBe('');
  });

  it('says how far it is from a verdict', () => {
    expect(judge({ fast: week(0.01, 3), days: 3 }).reason).toMatch(
      /^day 3 of 7: 3000 labels have been there for 24 h, and 5000 are needed; nothing was served yet$/,
    );
    expect(judge({ fast: week(-0.05), days: 2 }).reason).toMatch(
      /^on 7000 labels it is worse than the shadow by 4\.97 %, at least by 4\.8\d %; allowed: 2\.00 %, or 1\.00 % for certain$/,
    );
    expect(judge({}).reason).toBe('after 7 days it is not seen to be the better one: nothing was served yet');
  });

  it('decides nothing fast on what is wrong', () => {
    const flawed = { ...week(-0.2), candidate: { ...week(0).candidate, notANumber: 3 } };
    const found = judge({ fast: flawed, days: 2 });
    expect(found).toMatchObject({ verdict: 'WAIT', fast: null, reason: expect.stringContaining('3 predictions') });
  });

  it('does not depend on the order of what it is given', () => {
    const [found, turned] = [week(-0.05), week(-0.05)];
    turned.clusters.reverse();
    expect(judge({ fast: turned, slow: turned })).toEqual(judge({ fast: found, slow: found }));
  });
});
