import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { withDatabase } from '#adapters/duckdb/database.ts';
import { run } from '#cli/commands/release/compare.ts';
import { RefusedError, UsageError } from '#cli/refusal.ts';
import { fixture, type Rows } from '#test/domain/statistics/_fixture.ts';
import { testContext } from './_context.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-compare-'));
});
afterAll(() => rm(folder, { recursive: true }));

const Answer = z.looseObject({
  verdict: z.string(),
  rule: z.string(),
  reason: z.string(),
  change: z.string(),
  point: z.number().nullable(),
  interval: z.tuple([z.number(), z.number()]).nullable(),
  slices: z.array(z.looseObject({ value: z.string(), rows: z.number() })),
});
type Answer = z.infer<typeof Answer>;

async function compare(files: Readonly<Record<string, string>>, policy?: string): Promise<Answer> {
  const { context, text } = testContext({ ...files, ...(policy === undefined ? {} : { policy }) });
  // What cannot be compared is told, and refused as well.
  await run(context).catch((error: unknown) => {
    if (!(error instanceof RefusedError && error.refusal.rule === 'comparison-valid')) throw error;
  });
  return Answer.parse(JSON.parse(text('json')));
}

async function file(name: string, content: string): Promise<string> {
  await writeFile(join(folder, name), content);
  return join(folder, name);
}

type Line = readonly (string | number)[];
const csv = (name: string, columns: string, rows: readonly Line[]): Promise<string> =>
  file(name, [columns, ...rows.map((row) => row.join(','))].join('\n'));

/** Ten days of 300 rows; the candidate knows what moves the label better than the champion, by `better`. */
const ROWS = Array.from({ length: 3000 }, (_, index) => {
  const wave = (period: number): number => Math.sin((index * 2 * Math.PI) / period);
  const truth = 0.3 + 0.2 * wave(17.3) + 0.05 * wave(911);
  // The fractional parts of multiples of the golden ratio fall evenly: labels without a generator.
  const label = (index * 0.618033988749895) % 1 < truth ? 1 : 0;
  return { id: `row-${index}`, label, day: `2001-03-${String(1 + Math.floor(index / 300)).padStart(2, '0')}`, truth };
});
const champion = ROWS.map(({ id, truth }): [string, number] => [id, 0.3 + 0.6 * (truth - 0.3)]);
const candidate = ROWS.map(({ id, truth }): [string, number] => [id, 0.3 + 0.85 * (truth - 0.3)]);
const labels = ROWS.map(({ id, label, day }, index): [string, number, string, string] => [
  id,
  label,
  day,
  index % 3 === 0 ? 'ORD' : 'JFK',
]);
const LABELS = 'row_id,label,cluster,slice';
const PREDICTIONS = 'row_id,prediction';
let sound: { labels: string; champion: string; candidate: string };
beforeAll(async () => {
  sound = {
    labels: await csv('labels.csv', LABELS, labels),
    champion: await csv('champion.csv', PREDICTIONS, champion),
    candidate: await csv('candidate.csv', PREDICTIONS, candidate),
  };
});

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

const replaced = (rows: readonly Line[], at: number, row: Line): Line[] =>
  rows.map((each, index) => (index === at ? row : each));

describe('release compare refuses', () => {
  const bad: [string, 'labels' | 'champion' | 'candidate', string, readonly Line[], string][] = [
    ['rows without prediction', 'candidate', PREDICTIONS, candidate.slice(1), 'candidate: 1 rows have no prediction'],
    [
      'predictions of no row',
      'candidate',
      PREDICTIONS,
      [...candidate, ['nobody', 0.5]],
      'candidate: 1 predictions match no row',
    ],
    [
      'a prediction twice',
      'champion',
      PREDICTIONS,
      [...champion, champion[0] ?? []],
      'champion: 1 predictions are duplicates',
    ],
    ['a label twice', 'labels', LABELS, [...labels, labels[0] ?? []], '1 duplicate labels'],
    [
      'NaN',
      'candidate',
      PREDICTIONS,
      replaced(candidate, 4, ['row-4', 'nan']),
      'candidate: 1 predictions are not a number',
    ],
    [
      'no prediction',
      'candidate',
      PREDICTIONS,
      replaced(candidate, 4, ['row-4', '']),
      'candidate: 1 predictions are not a number',
    ],
    [
      'a word',
      'champion',
      PREDICTIONS,
      replaced(champion, 4, ['row-4', 'high']),
      'champion: 1 predictions are not a number',
    ],
    [
      'infinity',
      'candidate',
      PREDICTIONS,
      replaced(candidate, 4, ['row-4', 'inf']),
      'candidate: 1 predictions are outside [0, 1]',
    ],
    [
      'minus infinity',
      'champion',
      PREDICTIONS,
      replaced(champion, 4, ['row-4', '-inf']),
      'champion: 1 predictions are outside',
    ],
    [
      'a probability above 1',
      'candidate',
      PREDICTIONS,
      replaced(candidate, 4, ['row-4', 1.0001]),
      'candidate: 1 predictions are outside',
    ],
    [
      'a label of 2',
      'labels',
      LABELS,
      replaced(labels, 4, ['row-4', 2, '2001-03-01', 'ORD']),
      '1 labels are neither 0 nor 1',
    ],
    ['no cluster', 'labels', LABELS, replaced(labels, 4, ['row-4', 1, '', 'ORD']), '1 labels have no cluster'],
    ['no row id', 'labels', LABELS, replaced(labels, 4, ['', 1, '2001-03-01', 'ORD']), '1 labels have no row_id'],
    [
      'a prediction of no id',
      'champion',
      PREDICTIONS,
      replaced(champion, 4, ['', 0.5]),
      '1 predictions of the champion have no row_id',
    ],
    [
      'one class',
      'labels',
      LABELS,
      labels.map(([id, , day, slice]) => [id, 0, day, slice]),
      'the labels have one class only',
    ],
    ['no rows', 'labels', LABELS, [], 'no row could be compared'],
    ['a missing column', 'labels', 'row_id,label,day,slice', labels, 'labels: column cluster is missing'],
    [
      'predictions under another name',
      'candidate',
      'row_id,score',
      candidate,
      'candidate: column prediction is missing',
    ],
    [
      'labels of which three in five are flipped to 1',
      'labels',
      LABELS,
      labels.map(([id, label, day, slice], index) => [id, index % 5 < 3 ? 1 : label, day, slice]),
      'the labels are doubtful',
    ],
  ];
  it.each(bad)('%s', async (name, which, columns, rows, reason) => {
    const path = await csv(`${name.replaceAll(' ', '-')}.csv`, columns, rows);
    expect(await compare({ ...sound, [which]: path })).toMatchObject({
      verdict: 'INVALID',
      rule: 'valid-input',
      reason: expect.stringContaining(reason),
      point: null,
      interval: null,
      slices: [],
    });
  });

  it.each([
    ['a file without content', ''],
    ['a file that is something else', '\u0000\u0001\u0002'],
    ['a file that only begins like Parquet', 'PAR1 and no more'],
  ])('%s', async (name, content) => {
    const path = await file(name.replaceAll(' ', '-'), content);
    expect(await compare({ ...sound, candidate: path })).toMatchObject({
      verdict: 'INVALID',
      reason: expect.stringContaining('candidate: '),
    });
  });

  it.each([
    [
      'predictions as text',
      'candidate',
      `SELECT row_id, CAST(prediction AS VARCHAR) AS prediction`,
      'column prediction is VARCHAR',
    ],
    ['ids as fractions', 'candidate', 'SELECT 1.5::DOUBLE AS row_id, prediction', 'column row_id is DOUBLE'],
    ['labels as times', 'labels', "SELECT * REPLACE (TIMESTAMP '2001-01-01' AS label)", 'column label is TIMESTAMP'],
    [
      'clusters as times',
      'labels',
      "SELECT * REPLACE (TIMESTAMP '2001-01-01' AS cluster)",
      'column cluster is TIMESTAMP',
    ],
  ] as const)('%s in Parquet', async (name, which, select, reason) => {
    const path = join(folder, `${name.replaceAll(' ', '-')}.parquet`);
    await withDatabase('1GB', (connection) =>
      connection.run(`COPY (${select} FROM read_csv('${sound[which]}')) TO '${path}'`),
    );
    expect(await compare({ ...sound, [which]: path })).toMatchObject({
      verdict: 'INVALID',
      reason: expect.stringContaining(reason),
    });
  });

  it('to decide on two clusters', async () => {
    const two = await csv(
      'two.csv',
      LABELS,
      labels.map(([id, label, day, slice]) => [id, label, day < '2001-03-06' ? 'a' : 'b', slice]),
    );
    expect(await compare({ ...sound, labels: two })).toMatchObject({
      verdict: 'INCONCLUSIVE',
      rule: 'holdout',
      clusters: 2,
    });
  });

  it('a candidate that says nothing, only classes, or the same as the champion', async () => {
    const of = async (name: string, p: (truth: number, index: number) => number) =>
      compare({
        ...sound,
        candidate: await csv(
          `${name}.csv`,
          PREDICTIONS,
          ROWS.map(({ id, truth }, index) => [id, p(truth, index)]),
        ),
      });
    expect(await of('constant', () => 0.3)).toMatchObject({ verdict: 'REJECT', rule: 'degenerate' });
    expect(await of('nearly', (truth) => 0.3 + truth / 1000)).toMatchObject({ verdict: 'REJECT', rule: 'degenerate' });
    expect(await of('hard', (truth) => (truth > 0.3 ? 1 : 0))).toMatchObject({ verdict: 'REJECT', rule: 'degenerate' });
    expect(await compare({ ...sound, candidate: sound.champion })).toMatchObject({
      verdict: 'REJECT',
      rule: 'identical-artefact',
    });
    expect(await of('leak', (truth, index) => 0.9 * (labels[index]?.[1] ?? 0) + 0.1 * truth)).toMatchObject({
      verdict: 'INCONCLUSIVE',
      rule: 'too-good',
    });
  });

  it('a baseline for nothing: a model may be as much better as it knows', async () => {
    const baseline = await csv(
      'baseline.csv',
      PREDICTIONS,
      ROWS.map(({ id }) => [id, 0.3]),
    );
    const truth = await csv(
      'truth.csv',
      PREDICTIONS,
      ROWS.map(({ id, truth: p }) => [id, p]),
    );
    const answer = await compare({ ...sound, champion: baseline, candidate: truth });
    expect(answer).toMatchObject({ verdict: 'PROMOTE' });
    expect(answer.point).toBeGreaterThan(0.08);
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
