import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withDatabase } from '#adapters/duckdb/database.ts';
import {
  folder,
  compare,
  file,
  type Line,
  csv,
  ROWS,
  champion,
  candidate,
  labels,
  LABELS,
  PREDICTIONS,
  sound,
  begin,
  end,
} from './_compare.ts';

beforeAll(begin);
afterAll(end);

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
