import { describe, expect, it } from 'vitest';
import type { ComparisonMeasure, ScoreBin } from '#domain/comparison/measure.ts';
import { costOf } from '#domain/report/cost.ts';
import { precisionRecall, reliability } from '#domain/report/curves.ts';
import { isoWeek, weeksOf } from '#domain/report/weeks.ts';
import { comparePaired } from '#domain/statistics/paired-comparison.ts';
import { ratioOfSums } from '#domain/statistics/ratio.ts';
import { fortnight, measure } from '../gates/_measure.ts';

describe('weeks', () => {
  // Values of Python's date.isocalendar().
  it.each([
    ['2001-01-01', '2001-W01'],
    ['2000-12-31', '2000-W52'],
    ['2001-03-04', '2001-W09'],
    ['2021-01-03', '2020-W53'],
    ['2024-12-30', '2025-W01'],
  ])('%s is in %s', (day, week) => {
    expect(isoWeek(day)).toBe(week);
  });

  it('hold the days between their Mondays, with an interval where they have four', () => {
    // From Thursday 2001-03-01 on: four days, seven, and three.
    const found = fortnight(0.02);
    const weeks = weeksOf(found, 0.95) ?? [];
    expect(weeks.map(({ week, first, last, days }) => [week, first, last, days])).toEqual([
      ['2001-W09', '2001-03-01', '2001-03-04', 4],
      ['2001-W10', '2001-03-05', '2001-03-11', 7],
      ['2001-W11', '2001-03-12', '2001-03-14', 3],
    ]);
    const second = found.clusters.slice(4, 11);
    const paired = comparePaired(
      second.map(({ champion, candidate }) => ({ champion: champion.logLoss, candidate: candidate.logLoss })),
      0.95,
    );
    expect(weeks[1]?.gain.point).toBeCloseTo(paired?.improvement ?? Number.NaN, 12);
    expect(weeks[1]?.gain.interval).toEqual([paired?.lowerBound, paired?.upperBound]);
    expect(weeks[2]?.gain.interval).toBeNull();
    expect(weeks[2]?.candidate.calibration).toEqual({ point: 1, interval: null });
    expect(weeks[1]).toMatchObject({ rows: 7000, positives: 1400, champion: { logLoss: expect.closeTo(0.45, 12) } });
  });

  it('are in order whatever the order of the days, and there are none of other clusters', () => {
    const found = fortnight(0.02);
    const reversed = { ...found, clusters: found.clusters.toReversed() };
    expect(weeksOf(reversed, 0.95)).toEqual(weeksOf(found, 0.95));
    expect(weeksOf({ ...found, clusterColumn: 'origin' }, 0.95)).toBeUndefined();
    expect(weeksOf({ ...found, clusterColumn: 'day and origin' }, 0.95)).toBeUndefined();
    expect(weeksOf({ ...found, blockDays: 7 }, 0.95)).toBeUndefined();
  });
});

describe('a ratio of sums', () => {
  it('has the interval of its linearised residuals', () => {
    // r = 30 / 24; residuals 10 - 8r, 14 - 10r, 6 - 6r = 0, 1.5, -1.5; se = sqrt(3/2 * 4.5) / 24; t(0.95, 2) = 2.919986.
    const found = ratioOfSums(
      [
        { observed: 10, expected: 8 },
        { observed: 14, expected: 10 },
        { observed: 6, expected: 6 },
      ],
      0.95,
    );
    const reach = (2.919985580353726 * Math.sqrt(6.75)) / 24;
    expect(found?.point).toBe(1.25);
    expect(found?.interval?.[0]).toBeCloseTo(1.25 - reach, 9);
    expect(found?.interval?.[1]).toBeCloseTo(1.25 + reach, 9);
  });

  it('says nothing where nothing was expected, and tells no interval of one cluster', () => {
    expect(ratioOfSums([{ observed: 3, expected: 0 }], 0.95)).toBeUndefined();
    expect(ratioOfSums([{ observed: 3, expected: 2 }], 0.95)).toEqual({ point: 1.5, interval: null });
  });
});

const bin = (at: number, rows: number, positives: number): ScoreBin => ({
  bin: at,
  rows,
  positives,
  predicted: rows / (1 + Math.exp(-at / 10)),
});

describe('curves', () => {
  it('find precision and recall at each threshold, from the highest on', () => {
    const curve = precisionRecall([bin(-20, 80, 4), bin(0, 15, 6), bin(10, 5, 5)], 0.1);
    expect(curve.map(({ recall, precision }) => [recall, precision])).toEqual([
      [5 / 15, 1],
      [11 / 15, 11 / 20],
      [1, 15 / 100],
    ]);
    // scipy.special.expit of 1, 0 and -2.
    expect(curve.map(({ threshold }) => threshold)).toEqual([
      expect.closeTo(0.731058578630005, 12),
      0.5,
      expect.closeTo(0.119202922022118, 12),
    ]);
    expect(precisionRecall([bin(0, 10, 0)], 0.1)).toEqual([]);
  });

  it('put rows into at most ten groups of about as many rows, each row in one', () => {
    const bins = Array.from({ length: 40 }, (_, at) => bin(at - 30, 10 + at, at));
    const groups = reliability(bins);
    const rows = bins.reduce((sum, each) => sum + each.rows, 0);
    expect(groups.reduce((sum, each) => sum + each.rows, 0)).toBe(rows);
    expect(groups.length).toBe(10);
    for (const group of groups) expect(Math.abs(group.rows - rows / 10)).toBeLessThanOrEqual(50);
    const observed = groups.reduce((sum, group) => sum + group.observed * group.rows, 0);
    expect(observed).toBeCloseTo(
      bins.reduce((sum, { positives }) => sum + positives, 0),
      9,
    );
    // A constant is one bin, however many rows it has.
    expect(reliability([bin(-20, 1000, 120)])).toEqual([{ rows: 1000, predicted: expect.any(Number), observed: 0.12 }]);
  });
});

describe('cost', () => {
  const costs = { falsePositive: 5, falseNegative: 20 };
  const days: ComparisonMeasure = measure([
    { champion: 0.4, candidate: 0.4 },
    { champion: 0.4, candidate: 0.4 },
  ]);
  const decisions = {
    threshold: 0.2,
    clusters: days.clusters.map(({ cluster }, index) => ({
      cluster,
      champion: { flagged: 300, hits: 100 },
      candidate: { flagged: 300 - 20 * index, hits: 120 },
    })),
  };

  it('is that of each wrong decision, beside acting never and always', () => {
    const found = costOf({ ...days, decisions }, costs, 0.95);
    // 2,000 rows, 400 positive. Champion: 400 for nothing, 200 missed. Candidate: 180 + 160 for nothing, 160 missed.
    expect(found).toMatchObject({
      threshold: 0.2,
      champion: { truePositives: 200, falsePositives: 400, falseNegatives: 200, per1000: 3000 },
      candidate: { truePositives: 240, falsePositives: 340, falseNegatives: 160, per1000: 2450 },
      never: 4000,
      always: 4000,
      saving: { point: expect.closeTo(1 - 2450 / 3000, 12) },
    });
  });

  it('is not computed from decisions at another threshold, or from none', () => {
    expect(costOf(days, costs, 0.95)).toBeUndefined();
    expect(costOf({ ...days, decisions: { ...decisions, threshold: 0.3 } }, costs, 0.95)).toBeUndefined();
  });
});
