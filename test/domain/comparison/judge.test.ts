import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ComparisonMeasure, StoredMeasure } from '#domain/comparison/measure.ts';
import { ComparisonRule } from '#domain/policy/policy.ts';
import { judgeComparison } from '#domain/comparison/judge.ts';
import { fortnight, measure } from '#test/domain/gates/_measure.ts';
import { comparisonRule, RULE } from '#test/domain/policy/_rule.ts';

const rule = comparisonRule({
  minimumRows: 2000,
  provisional: { minimumImprovement: 0.0025, tolerance: 0.01 },
});
const days = (count: number, gain: number): ComparisonMeasure => {
  const { clusters } = fortnight(gain);
  return measure(
    clusters.slice(0, count).map(({ champion, candidate }) => ({
      champion: champion.logLoss / 1000,
      candidate: candidate.logLoss / 1000,
    })),
  );
};
const withCandidate = (
  found: ComparisonMeasure,
  counts: Partial<ComparisonMeasure['candidate']>,
): ComparisonMeasure => ({
  ...found,
  candidate: { ...found.candidate, ...counts },
});
const constant = { lowest: 0.2, highest: 0.2, deviation: 0 };
/** A slice of 100 rows a day that loses or gains this share each day, more or less. */
const slice = (value: string, gain: number, noise = 0.01, rows = 100): ComparisonMeasure['slices'][number] => ({
  column: 'origin',
  value,
  clusters: fortnight(gain, noise).clusters.map((cluster) => ({ ...cluster, rows, positives: rows / 5 })),
});

describe('a comparison is judged', () => {
  it.each([
    ['a proven gain', fortnight(0.02), 'PROMOTE', 'superiority'],
    ['a proven gain that is just enough', fortnight(0.0051, 0.0005), 'PROMOTE', 'superiority'],
    ['a likely gain', fortnight(0.003), 'PROMOTE_PROVISIONALLY', 'provisional'],
    ['a large gain that is likely and not proven', fortnight(0.01, 0.03), 'PROMOTE_PROVISIONALLY', 'provisional'],
    ['a gain that may be a loss', fortnight(0.01, 0.1), 'INCONCLUSIVE', 'superiority'],
    ['too little, beyond doubt', fortnight(0.002, 0.0001), 'REJECT', 'superiority'],
    ['a loss', fortnight(-0.02), 'REJECT', 'superiority'],
    ['six days', days(6, 0.02), 'INCONCLUSIVE', 'holdout'],
    ['two clusters', days(2, 0.02), 'INCONCLUSIVE', 'holdout'],
    ['one cluster', days(1, 0.02), 'INCONCLUSIVE', 'holdout'],
    ['nine per cent over a trained champion', fortnight(0.09), 'INCONCLUSIVE', 'too-good'],
    ['a leak', fortnight(0.3), 'INCONCLUSIVE', 'too-good'],
    [
      'nine per cent over a baseline',
      { ...fortnight(0.09), champion: { ...fortnight(0).champion, ...constant } },
      'PROMOTE',
      'superiority',
    ],
    ['a constant', withCandidate(fortnight(0.02), constant), 'REJECT', 'degenerate'],
    [
      'next to a constant',
      withCandidate(fortnight(0.02), { lowest: 0.2, highest: 0.203, deviation: 0.001 }),
      'REJECT',
      'degenerate',
    ],
    ['classes', withCandidate(fortnight(0.02), { hard: 14_000 }), 'REJECT', 'degenerate'],
    ['the champion itself', { ...fortnight(0), greatestDifference: 0 }, 'REJECT', 'identical-artefact'],
    ['the champion itself on two days', { ...days(2, 0), greatestDifference: 0 }, 'REJECT', 'identical-artefact'],
    ['what is wrong', { ...fortnight(0.02), flaws: ['a column is missing'] }, 'INVALID', 'valid-input'],
    ['nothing', { ...measure([]), greatestDifference: null }, 'INVALID', 'valid-input'],
    ['predictions out of range', withCandidate(fortnight(0.02), { outOfRange: 1 }), 'INVALID', 'valid-input'],
  ] satisfies [string, ComparisonMeasure, string, string][])('of %s', (_, found, verdict, by) => {
    const judgement = judgeComparison(found, rule);
    expect([judgement.verdict, judgement.rule]).toEqual([verdict, by]);
    expect(judgement.reason).not.toBe('');
    expect(judgement.change).not.toBe('');
  });

  it('asks for more where training is seeded', () => {
    const seeded = { ...rule, seeded: true };
    expect(judgeComparison(fortnight(0.008), rule).verdict).toBe('PROMOTE');
    expect(judgeComparison(fortnight(0.008), seeded).verdict).toBe('PROMOTE_PROVISIONALLY');
    expect(judgeComparison(fortnight(0.012), seeded).verdict).toBe('PROMOTE');
  });

  it('decides nothing on fewer rows than are asked for', () => {
    expect(judgeComparison(fortnight(0.02), { ...rule, minimumRows: 14_001 })).toMatchObject({
      verdict: 'INCONCLUSIVE',
      reason: 'the models were compared on 14000 rows, 14001 are needed',
    });
  });

  it('shows its figures, with the bootstrap beside the t interval', () => {
    const { figures, ...judgement } = judgeComparison(fortnight(0.02), rule);
    expect(judgement).toMatchObject({ clusters: 14, rows: 14_000, positives: 2800, confidence: 0.95 });
    expect(figures?.point).toBeCloseTo(0.02, 9);
    const [lower, upper] = figures?.interval ?? [];
    expect(lower).toBeLessThan(figures?.bootstrap?.interval[0] ?? 0);
    expect(upper).toBeGreaterThan(figures?.bootstrap?.interval[1] ?? 1);
    expect(figures?.bootstrap).toMatchObject({ resamples: 2000, seed: 20_010_101 });
    expect(figures?.candidate.calibration).toEqual({ point: 1, range: [1, 1] });
  });

  it('says how many days would prove a gain', () => {
    expect(judgeComparison(fortnight(0.01, 0.1), rule).change).toMatch(
      /^the same gain over about \d{3} days instead of 14/,
    );
  });

  it('does not depend on the order of the clusters in any bit', () => {
    const order = fc.shuffledSubarray([...fortnight(0.02, 0.0317).clusters], { minLength: 14, maxLength: 14 });
    fc.assert(
      fc.property(order, (clusters) => {
        const found = judgeComparison({ ...fortnight(0.02), clusters }, rule);
        expect(found).toEqual(judgeComparison(fortnight(0.02, 0.0317), rule));
      }),
    );
  });
});

describe('labels are doubted', () => {
  const expecting = (champion: number, candidate: number): ComparisonMeasure => ({
    ...fortnight(0.02),
    clusters: fortnight(0.02).clusters.map((cluster) => ({
      ...cluster,
      champion: { ...cluster.champion, predicted: champion },
      candidate: { ...cluster.candidate, predicted: candidate },
    })),
  });
  it.each([
    ['both expect a third', 67, 60, 'INVALID'],
    ['both expect the threefold', 600, 620, 'INVALID'],
    ['one expects them', 67, 200, 'PROMOTE'],
    ['they miss to different sides', 90, 410, 'PROMOTE'],
    ['both miss by a little', 120, 130, 'PROMOTE'],
  ])('where %s', (_, champion, candidate, verdict) => {
    expect(judgeComparison(expecting(champion, candidate), rule).verdict).toBe(verdict);
  });
});

describe('slices', () => {
  const sliced = (...slices: ComparisonMeasure['slices']): ComparisonMeasure => ({ ...fortnight(0.02), slices });
  it.each([
    ['one that is far worse', [slice('ORD', -0.1)], 'REJECT'],
    ['one that is worse by less than the tolerance', [slice('ORD', -0.04)], 'PROMOTE'],
    ['one that is worse by chance', [slice('ORD', -0.06, 0.5)], 'PROMOTE'],
    ['one that is better', [slice('ORD', 0.1)], 'PROMOTE'],
    ['one of a single day', [{ ...slice('ORD', -0.5), clusters: slice('ORD', -0.5).clusters.slice(0, 1) }], 'PROMOTE'],
  ])('with %s', (_, slices, verdict) => {
    expect(judgeComparison(sliced(...slices), rule).verdict).toBe(verdict);
  });

  it('are judged together: what would veto alone may be chance among many', () => {
    const odd = slice('ORD', -0.06, 0.11);
    const others = Array.from({ length: 11 }, (_, index) => slice(`A${index}`, 0.02));
    expect(judgeComparison(sliced(odd), rule)).toMatchObject({ verdict: 'REJECT', rule: 'slices' });
    expect(judgeComparison(sliced(odd, ...others), rule).verdict).toBe('PROMOTE');
  });

  it('are the largest of each column, and no more', () => {
    const many = Array.from({ length: 14 }, (_, index) =>
      slice(`A${index}`, index === 0 ? -0.3 : 0.02, 0.01, 100 + index),
    );
    const { figures, verdict } = judgeComparison(sliced(...many), rule);
    expect(figures?.slices.map(({ value }) => value)).toEqual(
      Array.from({ length: 12 }, (_, index) => `A${13 - index}`),
    );
    expect(verdict).toBe('PROMOTE');
  });

  it('veto what would pass provisionally too, and are named', () => {
    expect(judgeComparison({ ...fortnight(0.003), slices: [slice('ORD', -0.1)] }, rule)).toMatchObject({
      verdict: 'REJECT',
      reason: expect.stringContaining('origin = ORD: -10.00 %'),
    });
  });
});

describe('guards', () => {
  const sums = (changes: Partial<ComparisonMeasure['clusters'][number]['candidate']>): ComparisonMeasure => ({
    ...fortnight(0.02),
    clusters: fortnight(0.02).clusters.map((cluster) => ({
      ...cluster,
      candidate: { ...cluster.candidate, ...changes },
    })),
  });
  it.each([
    ['a worse Brier score', sums({ brier: 155 }), 'the Brier score is worse by 3.33 %'],
    [
      'a lower average precision',
      withCandidate(fortnight(0.02), { averagePrecision: 0.26 }),
      'the average precision falls from 0.3000 to 0.2600',
    ],
    ['predictions that are far too low', sums({ predicted: 80 }), 'observed / predicted is 2.50'],
    ['predictions that are all 0', sums({ predicted: 0 }), 'observed / predicted is none'],
  ])('veto %s', (_, found, reason) => {
    expect(judgeComparison(found, rule)).toMatchObject({
      verdict: 'REJECT',
      rule: 'guards',
      reason: expect.stringContaining(reason),
    });
  });

  it.each([
    ['a Brier score that is a little worse', sums({ brier: 150.5 })],
    ['an average precision that is a little lower', withCandidate(fortnight(0.02), { averagePrecision: 0.28 })],
    ['no average precision', withCandidate(fortnight(0.02), { averagePrecision: null })],
  ])('let pass %s', (_, found) => {
    expect(judgeComparison(found, rule).verdict).toBe('PROMOTE');
  });
});

describe('a comparison rule that contradicts itself', () => {
  it.each([
    ['asks for more than it believes', { tooGood: 0.005 }, ['tooGood']],
    ['asks for less where training is seeded', { minimumImprovementSeeded: 0.004 }, ['minimumImprovementSeeded']],
    [
      'asks for more on probation than without',
      { provisional: { minimumImprovement: 0.006, tolerance: 0.01 } },
      ['provisional', 'minimumImprovement'],
    ],
    ['names a slice twice', { slices: { ...RULE.slices, columns: ['a', 'a'] } }, ['slices', 'columns']],
    ['slices by its clusters', { slices: { ...RULE.slices, columns: ['day'] } }, ['slices', 'columns']],
  ])('is refused where it %s', (_, changes, path) => {
    expect(ComparisonRule.safeParse(comparisonRule()).success).toBe(true);
    expect(
      ComparisonRule.safeParse({ ...comparisonRule(), ...changes }).error?.issues.map((issue) => issue.path),
    ).toEqual([path]);
  });
});

it('a measure of the format before this one is read', () => {
  const { clusters, clusterColumn: _column, slices: _slices, flaws: _flaws, ...rest } = fortnight(0.02);
  const before = ({ averagePrecision: _precision, pairs: _pairs, ...counts }: ComparisonMeasure['candidate']) => counts;
  const stored = {
    ...rest,
    formatVersion: 1,
    clusters: clusters.map(({ cluster, ...sums }) => ({ day: cluster, ...sums })),
    champion: before(rest.champion),
    candidate: before(rest.candidate),
  };
  expect(judgeComparison(StoredMeasure.parse(stored), rule).verdict).toBe('PROMOTE');
  expect(StoredMeasure.parse(fortnight(0.02))).toEqual(fortnight(0.02));
});
