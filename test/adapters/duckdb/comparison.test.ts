import { describe, expect, it } from 'vitest';
import { measureComparison } from '#adapters/duckdb/comparison.ts';
import { profileSource } from '#adapters/duckdb/profile.ts';
import type { ComparisonMeasure } from '#domain/comparison/measure.ts';
import { meanDisagreement } from '#domain/comparison/disagreement.ts';
import { judgeComparison } from '#domain/comparison/judge.ts';
import { comparisonRule } from '#test/domain/policy/_rule.ts';
import { definition, eventsOf, featuresOf, labelsOf, workspace } from './_fixture.ts';

const { parquet } = workspace();
const day = '2026-03-01';

async function labels(select = labelsOf(day, '2026-03-02')): Promise<{ day: string; file: string }[]> {
  return [{ day: '2026-03-02', file: await parquet('labels.parquet', select) }];
}

/** Predictions of the six rows of a day: `p` is SQL over `i`. */
function predictions(name: string, p: string, more = ''): Promise<string> {
  const rows = `SELECT '${day}-' || i AS row_id, (${p})::DOUBLE AS prediction FROM range(6) AS t(i)`;
  return parquet(name, `FROM (${rows}) ${more}`);
}

async function measure(
  champion: string,
  candidate: string,
  change: {
    more?: string;
    labels?: string;
    days?: string[];
    cluster?: string;
    byDay?: true;
    slices?: string[];
    threshold?: number;
  } = {},
): Promise<ComparisonMeasure> {
  const features = await Promise.all((change.days ?? [day]).map((of) => parquet(`f-${of}.parquet`, featuresOf(of))));
  const result = await measureComparison({
    features,
    labels: await labels(change.labels),
    champion: [await predictions('champion.parquet', champion)],
    candidate: [await predictions('candidate.parquet', candidate, change.more)],
    definition,
    cluster: change.cluster,
    byDay: change.byDay,
    slices: change.slices,
    threshold: change.threshold,
  });
  if (result.kind === 'refused') throw new Error(JSON.stringify(result.refusal));
  return result.measure;
}

describe('measureComparison', () => {
  it('sums losses by day as one would by hand', async () => {
    // Labels are 0 1 0 1 0 1; the champion says one half, the candidate 0.8 where the label is 1 and 0.2 elsewhere.
    const measured = await measure('0.5', 'CASE WHEN i % 2 = 1 THEN 0.8 ELSE 0.2 END');
    expect(measured.clusters).toHaveLength(1);
    const [cluster] = measured.clusters;
    expect(cluster).toMatchObject({ cluster: day, rows: 6, positives: 3 });
    expect(cluster?.champion.logLoss).toBeCloseTo(6 * Math.log(2), 12);
    expect(cluster?.champion.brier).toBeCloseTo(1.5, 12);
    expect(cluster?.candidate.logLoss).toBeCloseTo(-6 * Math.log(0.8), 12);
    expect(cluster?.candidate.brier).toBeCloseTo(6 * 0.04, 12);
    expect(cluster?.candidate.predicted).toBeCloseTo(3, 12);
    expect(measured).toMatchObject({ comparedRows: 6, featureRows: 6, unlabelled: 0 });
    expect(measured.greatestDifference).toBeCloseTo(0.3, 12);
    expect(measured.champion).toMatchObject({ auc: 0.5, deviation: 0, lowest: 0.5, highest: 0.5 });
    expect(measured.candidate).toMatchObject({ auc: 1, hard: 0 });
  });

  it('sums by the clusters and slices that it is asked for', async () => {
    const measured = await measure('0.5', 'CASE WHEN i % 2 = 1 THEN 0.8 ELSE 0.2 END', {
      cluster: 'card',
      slices: ['day', 'rate'],
    });
    expect(measured.clusterColumn).toBe('card');
    const rows = (clusters: readonly { rows: number }[]): number => clusters.reduce((sum, each) => sum + each.rows, 0);
    expect(measured.clusters.length).toBeGreaterThan(1);
    expect(rows(measured.clusters)).toBe(6);
    expect(measured.candidate.pairs).toHaveLength(measured.clusters.length);
    const slicesOf = (column: string) => measured.slices.filter((slice) => slice.column === column);
    expect(slicesOf('day').map(({ value, clusters }) => [value, rows(clusters)])).toEqual([[day, 6]]);
    // A rate is missing in one row of six, which is a slice of its own.
    expect(slicesOf('rate')).toHaveLength(6);
    expect(slicesOf('rate').map(({ value }) => value)).toContain('(none)');
  });

  it('parts a column’s values by days where it is asked to', async () => {
    const measured = await measure('0.5', '0.4', { cluster: 'card', byDay: true });
    expect(measured.clusterColumn).toBe('day and card');
    // Two payments of a card, one of which is bad.
    expect(measured.clusters.map(({ cluster, rows, positives }) => [cluster, rows, positives])).toEqual(
      [0, 1, 2].map((card) => [`${day} card-${card}`, 2, 1]),
    );
  });

  it('makes one cluster of days whose labels depend on each other', async () => {
    const days = ['2026-03-01', '2026-03-02', '2026-03-03', '2026-03-04', '2026-03-05'];
    const files = async (kind: string, select: (of: string) => string) =>
      Promise.all(days.map((of) => parquet(`${kind}-${of}.parquet`, select(of))));
    const said = (p: string) => (of: string) =>
      `SELECT '${of}-' || i AS row_id, (${p})::DOUBLE AS prediction FROM range(6) AS t(i)`;
    const input = {
      features: await files('blocks', (of) => featuresOf(of)),
      labels: (await files('arrived', (of) => labelsOf(of, '2026-03-09'))).map((file) => ({ day: '2026-03-09', file })),
      champion: await files('before', said('0.5')),
      candidate: await files('after', said('0.3 + 0.08 * i')),
    };
    const measured = async (horizonDays?: number) => {
      const labels = { ...definition.labels, ...(horizonDays === undefined ? {} : { horizonDays }) };
      const result = await measureComparison({ ...input, definition: { ...definition, labels } });
      if (result.kind === 'refused') throw new Error(result.refusal.found);
      return result.measure;
    };
    const [single, blocks] = [await measured(), await measured(2)];
    expect(single.blockDays).toBeUndefined();
    expect(blocks.blockDays).toBe(2);
    expect(blocks.clusters.map(({ cluster, rows }) => [cluster, rows])).toEqual([
      ['2026-03-01', 12],
      ['2026-03-03', 12],
      ['2026-03-05', 6],
    ]);
    const loss = ({ clusters }: ComparisonMeasure) => clusters.reduce((sum, each) => sum + each.candidate.logLoss, 0);
    expect(loss(blocks)).toBeCloseTo(loss(single), 9);
    // Five days are enough for a rule that asks for five; three blocks of them are not.
    const rule = comparisonRule({ minimumDays: 5, minimumRows: 30 });
    expect(judgeComparison(single, rule).rule).not.toBe('holdout');
    expect(judgeComparison(blocks, rule)).toMatchObject({
      verdict: 'INCONCLUSIVE',
      rule: 'holdout',
      reason: expect.stringContaining('the models were compared on 3 blocks of 2 days, 5 are needed'),
    });
  });

  it('says how far the models are apart in logits, on rows without a label as well', async () => {
    const apart = async (labelled: number) =>
      (
        await measure('0.5', 'CASE i WHEN 0 THEN 1 WHEN 1 THEN NULL ELSE 0.8 END', {
          labels: labelsOf(day, '2026-03-02', labelled),
        })
      ).disagreement;
    // logit 0.8 = ln 4; a certain one is clipped at 1 - 1e-6; what is no prediction is left out.
    const [found] = (await apart(6)) ?? [];
    expect(found).toMatchObject({ cluster: day, rows: 5 });
    expect(found?.logits).toBeCloseTo(4 * Math.log(4) + Math.log(999_999), 9);
    expect(await apart(2)).toEqual(await apart(6));
    expect(meanDisagreement(found === undefined ? [] : [found, { ...found, rows: 15, logits: 0 }])).toBeCloseTo(
      (found?.logits ?? 0) / 20,
      12,
    );
    expect(meanDisagreement([])).toBeUndefined();
  });

  it('counts how predictions are spread, in tenths of a logit', async () => {
    // Labels are 0 1 0 1 0 1. logit 0.8 = 1.386, logit 0.2 = -1.386; a certain one is clipped at 13.8.
    const measured = await measure('0.5', 'CASE i WHEN 0 THEN 0.2 WHEN 5 THEN 1 ELSE 0.8 END');
    expect(measured.scores).toEqual({
      width: 0.1,
      champion: [{ bin: 0, rows: 6, positives: 3, predicted: 3 }],
      candidate: [
        { bin: -14, rows: 1, positives: 0, predicted: 0.2 },
        { bin: 13, rows: 4, positives: 2, predicted: 3.2 },
        { bin: 138, rows: 1, positives: 1, predicted: 1 },
      ],
    });
  });

  it('counts decisions by clusters at the threshold that it is given, and none without', async () => {
    const measured = await measure('0.2', 'CASE i WHEN 0 THEN 0.5 WHEN 1 THEN 0.4 ELSE 0.1 END', { threshold: 0.4 });
    expect(measured.decisions).toEqual({
      threshold: 0.4,
      clusters: [{ cluster: day, champion: { flagged: 0, hits: 0 }, candidate: { flagged: 2, hits: 1 } }],
    });
    expect((await measure('0.2', '0.1')).decisions).toBeUndefined();
  });

  it('clips certainty, so that one error costs 13.8 nats and not everything', async () => {
    const measured = await measure('0.5', '1');
    expect(measured.clusters[0]?.candidate.logLoss).toBeCloseTo(-3 * Math.log(1e-6) - 3 * Math.log(1 - 1e-6), 6);
    expect(measured.candidate).toMatchObject({ hard: 6, deviation: 0 });
  });

  it('counts what a comparison must not have, and compares the rest', async () => {
    const more = `UNION ALL SELECT '${day}-0', 0.5 UNION ALL SELECT 'nobody', 0.5`;
    const measured = await measure(
      '0.5',
      "CASE i WHEN 1 THEN 'nan'::DOUBLE WHEN 2 THEN 1.5 WHEN 3 THEN NULL WHEN 4 THEN 'inf'::DOUBLE ELSE 0.4 END",
      { more },
    );
    expect(measured.candidate).toMatchObject({
      rows: 8,
      duplicates: 1,
      notANumber: 2,
      outOfRange: 2,
      unmatched: 1,
      missing: 0,
    });
    expect(measured.comparedRows).toBe(1);
    const empty = await measure('0.5', '0.5', { labels: labelsOf('2026-02-01', '2026-03-02') });
    expect(empty).toMatchObject({
      comparedRows: 0,
      unlabelled: 6,
      otherLabels: 6,
      clusters: [],
      greatestDifference: null,
      candidate: { auc: null },
    });
  });

  it('counts rows without prediction and labels that contradict each other', async () => {
    const both = `FROM (${labelsOf(day, '2026-03-02')}) UNION ALL SELECT '${day}-0', true, TIMESTAMP '2026-03-02'`;
    const measured = await measure('0.5', '0.4', { labels: both, days: [day, '2026-03-02'] });
    expect(measured).toMatchObject({
      duplicateLabels: 1,
      comparedRows: 5,
      featureRows: 12,
      unlabelled: 6,
      champion: { missing: 6 },
    });
  });

  it('refuses predictions that are no file of predictions', async () => {
    const file = await parquet('wrong.parquet', 'SELECT 1 AS id');
    const input = { features: [], labels: await labels(), champion: [file], candidate: [file], definition };
    expect(await measureComparison(input)).toMatchObject({
      kind: 'refused',
      refusal: { found: expect.stringContaining('row_id is missing') },
    });
  });
});

describe('profileSource', () => {
  it('says what each partition holds, and which would be refused', async () => {
    const files = [
      {
        day: '2026-03-02',
        file: await parquet('p2.parquet', `SELECT *, 1 AS more FROM (${eventsOf('2026-03-02', 4)})`),
      },
      {
        day: '2026-03-01',
        file: await parquet('p1.parquet', `SELECT * EXCLUDE (card) FROM (${eventsOf('2026-03-01')})`),
      },
    ];
    const profile = await profileSource('events', files, definition);
    expect(profile.partitions).toMatchObject([
      { day: '2026-03-01', rows: 0, refusal: { found: 'p1.parquet of events 2026-03-01: column card is missing' } },
      { day: '2026-03-02', rows: 4 },
    ]);
    expect(profile.columns).toContainEqual({ column: 'more', type: 'INTEGER', declared: false });
  });
});
