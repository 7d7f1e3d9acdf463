import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { withDatabase } from '#adapters/duckdb/database.ts';
import { run } from '#cli/commands/release/compare.ts';
import { UsageError } from '#cli/refusal.ts';
import { fixture, type Rows } from '#test/domain/statistics/_fixture.ts';
import { testContext } from './_context.ts';
import {
  folder,
  compare,
  file,
  type Line,
  csv,
  ROWS,
  labels,
  LABELS,
  PREDICTIONS,
  sound,
  begin,
  end,
} from './_compare.ts';

beforeAll(begin);
afterAll(end);

describe('release compare', () => {
  it('promotes a candidate that is better every day, with figures and slices', async () => {
    const answer = await compare(sound);
    expect(answer).toMatchObject({ verdict: 'PROMOTE', rule: 'superiority', clusters: 10, rows: 3000 });
    expect(answer.interval?.[0]).toBeGreaterThan(0);
    expect(answer.interval?.[0]).toBeLessThan(answer.point ?? 0);
    expect(answer.slices).toMatchObject([
      { value: 'JFK', rows: 2000, clusters: 10, vetoes: false },
      { value: 'ORD', rows: 1000 },
    ]);
    expect(await compare({ ...sound, champion: sound.candidate, candidate: sound.champion })).toMatchObject({
      verdict: 'REJECT',
    });
  });

  it('says the same of Parquet, of another order of rows, and of columns in another order, in every bit', async () => {
    const expected = await compare(sound);
    const parquet = (name: string): string => join(folder, `${name}.parquet`);
    await withDatabase('1GB', async (connection) => {
      for (const [name, from] of Object.entries(sound))
        await connection.run(`COPY (FROM read_csv('${from}') ORDER BY hash(row_id)) TO '${parquet(name)}'`);
    });
    const turned = ROWS.map(({ id, truth }) => [0.3 + 0.85 * (truth - 0.3), 'more', id]).toReversed();
    const others = [
      { labels: parquet('labels'), champion: parquet('champion'), candidate: parquet('candidate') },
      { ...sound, candidate: await csv('turned.csv', 'prediction,other,row_id', turned) },
      {
        ...sound,
        labels: await csv(
          'shuffled.csv',
          LABELS,
          labels.toSorted(([a], [b]) => (a < b ? -1 : 1)),
        ),
      },
    ];
    for (const files of others) {
      const { files: _files, ...answer } = await compare(files);
      expect({ ...answer, files: expected['files'] }).toEqual(expected);
    }
  });

  it.each(fixture.ranking.filter(({ paired }) => paired !== undefined))(
    'gives what SciPy and scikit-learn give (case %#)',
    async (rows: Rows) => {
      const ids = rows.label.map((_, row) => `r${row}`);
      const predictions = (of: readonly number[]) => of.map((each, row): Line => [ids[row] ?? '', each]);
      const answer = await compare({
        labels: await csv(
          'l.csv',
          'row_id,label,cluster',
          rows.label.map((label, row) => [ids[row] ?? '', label, 100 + (rows.cluster[row] ?? 0)]),
        ),
        champion: await csv('a.csv', PREDICTIONS, predictions(rows.champion.prediction)),
        candidate: await csv('b.csv', PREDICTIONS, predictions(rows.candidate.prediction)),
      });
      const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / ids.length;
      const found = z
        .looseObject({
          bootstrap: z.object({ interval: z.array(z.number()) }),
          aucDifference: z.object({ interval: z.array(z.number()) }),
          candidate: z.object({
            logLoss: z.number(),
            brier: z.number(),
            averagePrecision: z.number(),
            auc: z.object({ point: z.number(), interval: z.array(z.number()) }),
          }),
        })
        .parse(answer);
      const pairs: [number, number | undefined][] = [
        [answer.point ?? Number.NaN, rows.paired?.improvement],
        [answer.interval?.[0] ?? Number.NaN, rows.paired?.lowerBound],
        [answer.interval?.[1] ?? Number.NaN, rows.paired?.upperBound],
        [found.bootstrap.interval[0] ?? Number.NaN, rows.bootstrap?.gain[0]],
        [found.bootstrap.interval[1] ?? Number.NaN, rows.bootstrap?.gain[1]],
        [found.aucDifference.interval[0] ?? Number.NaN, rows.bootstrap?.difference[0]],
        [found.candidate.auc.interval[1] ?? Number.NaN, rows.bootstrap?.auc[1]],
        [found.candidate.auc.point, rows.candidate.auc],
        [found.candidate.averagePrecision, rows.candidate.averagePrecision],
        [found.candidate.logLoss, total(rows.candidate.logLoss)],
        [found.candidate.brier, total(rows.candidate.brier)],
      ];
      for (const [ours, theirs] of pairs) expect(ours).toBeCloseTo(theirs ?? Number.NaN, 9);
    },
  );

  it('reads as tables', async () => {
    const { context, text } = testContext(sound);
    await run(context);
    for (const part of ['PROMOTE by superiority', 'what would change it:', 'log loss', 'area under ROC', 'ORD'])
      expect(text()).toContain(part);
    expect(text()).toMatch(/log loss .*\d\.\d\d % \[\d+\.\d\d %, \d+\.\d\d %\]/);
  });
});

describe('the policy of release compare', () => {
  it('is the floor, changed by a file of values, or a model’s own', async () => {
    const stricter = await file('stricter.json', JSON.stringify({ minimumDays: 11 }));
    expect(await compare(sound, stricter)).toMatchObject({ verdict: 'INCONCLUSIVE', rule: 'holdout' });
    const none = await file(
      'none.json',
      JSON.stringify({ minimumImprovement: 0.05, tooGood: 0.5, provisional: null, minimumImprovementSeeded: 0.05 }),
    );
    expect((await compare(sound, none)).verdict).not.toMatch(/^PROMOTE/);
    expect(await compare(sound, 'models/flight-delay/policy.ts')).toMatchObject({
      verdict: 'INCONCLUSIVE',
      reason:
        'the models were compared on 10 clusters, 14 are needed; the models were compared on 3000 rows, 10000 are needed',
    });
  });

  it.each([
    ['contradicts itself', '{"tooGood": 0.001}', 'tooGood: more than the required gain, 0.005'],
    ['names what is no rule', '{"minimumDay": 3}', 'minimumDay'],
    ['has a value of another type', '{"confidence": "high"}', 'confidence: '],
    ['takes away what must be there', '{"confidence": null}', 'confidence: '],
    ['is no JSON', '{', 'wrong.json: '],
  ])('is a usage error where it %s', async (_, content, message) => {
    const wrong = await file('wrong.json', content);
    const failed = compare(sound, wrong);
    await expect(failed).rejects.toBeInstanceOf(UsageError);
    await expect(failed).rejects.toThrow(message);
  });

  it('is a usage error where it, or a file, is not there', async () => {
    await expect(compare(sound, join(folder, 'nowhere.json'))).rejects.toBeInstanceOf(UsageError);
    await expect(compare({ ...sound, labels: join(folder, 'nowhere.csv') })).rejects.toBeInstanceOf(UsageError);
  });
});
