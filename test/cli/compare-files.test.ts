import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { literal, withDatabase } from '#adapters/duckdb/database.ts';
import { run } from '#cli/commands/release/compare.ts';
import { RefusedError } from '#cli/refusal.ts';
import { testContext } from './_context.ts';

let folder = '';
/** Ten days of 200 rows; a label is likelier the greater the prediction is that knows it best. */
const SQL = {
  labels: `CASE WHEN hash(i) % 1000 < 1000 * (0.2 + 0.5 * ((i * 7919) % 1000) / 1000) THEN 1 ELSE 0 END`,
  champion: '0.45',
  candidate: '0.2 + 0.5 * ((i * 7919) % 1000) / 1000',
};
const ROWS =
  "FROM (SELECT i, format('r{:05d}', i) AS row_id, format('2024-02-{:02d}', 1 + i // 200) AS cluster FROM range(2000) t(i))";

async function parquet(name: string, select: string): Promise<string> {
  const file = join(folder, name);
  await withDatabase('1GB', (connection) =>
    connection.run(`COPY (${select} ${ROWS}) TO ${literal(file)} (FORMAT parquet)`),
  );
  return file;
}
const labelled = (name: string, label: string) => parquet(name, `SELECT row_id, ${label} AS label, cluster`);
const predicted = (name: string, prediction: string) => parquet(name, `SELECT row_id, ${prediction} AS prediction`);

let sound: { readonly labels: string; readonly champion: string; readonly candidate: string };
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-compare-'));
  sound = {
    labels: await labelled('labels.parquet', SQL.labels),
    champion: await predicted('champion.parquet', `0.9 * (${SQL.champion}) + 0.1 * (${SQL.candidate})`),
    candidate: await predicted('candidate.parquet', SQL.candidate),
  };
});
afterAll(() => rm(folder, { recursive: true }));

/** What the command says, and the rule by which it refuses, if it does. */
async function compare(files: Readonly<Record<string, string>>): Promise<Record<string, unknown>> {
  const { context, text } = testContext(files);
  const refused = await run(context).then(
    () => undefined,
    (error: unknown) => {
      if (error instanceof RefusedError) return error.refusal.rule;
      throw error;
    },
  );
  return { ...(JSON.parse(text('json')) as object), refused };
}

it('reads the very file that is named, whatever its name looks like to a pattern', async () => {
  const expected = await compare(sound);
  expect(expected).toMatchObject({ verdict: 'PROMOTE', refused: undefined });
  await labelled('labels1.parquet', `1 - (${SQL.labels})`);
  await mkdir(join(folder, 'a*?'));
  for (const name of ['labels[1].parquet', 'a*?/labels.parquet', '[!x]*.parquet'])
    expect(await compare({ ...sound, labels: await labelled(name, SQL.labels) })).toMatchObject({
      point: expected['point'],
    });
});

it('reads labels as the numbers that they are', async () => {
  const expected = await compare(sound);
  for (const [name, label] of [
    ['decimal', `CAST(${SQL.labels} AS DECIMAL(3, 2))`],
    ['negative-zero', `CASE WHEN ${SQL.labels} = 1 THEN 1.0::DOUBLE ELSE '-0.0'::DOUBLE END`],
    ['boolean', `(${SQL.labels}) = 1`],
  ] as const)
    expect(await compare({ ...sound, labels: await labelled(`${name}.parquet`, label) }), name).toMatchObject({
      point: expected['point'],
    });
  const ages = await compare({ ...sound, labels: await labelled('ages.parquet', '18 + i % 50') });
  expect(ages).toMatchObject({
    verdict: 'INVALID',
    refused: 'comparison-valid',
    reason: expect.stringContaining('neither 0 nor 1'),
  });
});

it.each(['0', '1'])('says that all labels are %s', async (label) => {
  const answer = await compare({ ...sound, labels: await labelled(`all-${label}.parquet`, label) });
  expect(answer).toMatchObject({
    verdict: 'INVALID',
    reason: expect.stringContaining('the labels have one class only'),
  });
});

it('finds a candidate too good that separates the classes perfectly', async () => {
  // Each positive has a prediction of its own: the average precision is a sum of as many shares of 1.
  const leak = `CASE WHEN ${SQL.labels} = 1 THEN 0.9 + i / 30000 ELSE 0.05 END`;
  const answer = await compare({ ...sound, candidate: await predicted('leak.parquet', leak) });
  expect(answer).toMatchObject({ rule: 'too-good' });
});

it('takes for a probability what rounding has put past an end, and nothing else', async () => {
  const expected = await compare(sound);
  const past = (by: string) => `CASE WHEN i = 0 THEN 1 + ${by} WHEN i = 1 THEN -${by} ELSE ${SQL.candidate} END`;
  const rounded = await compare({ ...sound, candidate: await predicted('rounded.parquet', past('1e-7')) });
  expect(rounded).toMatchObject({ verdict: expected['verdict'] });
  const wrong = await compare({ ...sound, candidate: await predicted('wrong.parquet', past('0.01')) });
  expect(wrong).toMatchObject({ verdict: 'INVALID', reason: expect.stringContaining('2 predictions are outside') });
});

it.each(['labels', 'champion', 'candidate', 'policy'])(
  'says that a folder is given for the file of %s',
  async (option) => {
    await expect(compare({ ...sound, [option]: folder })).rejects.toThrow(
      `${folder} is a folder: name the files in it`,
    );
  },
);
