import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { PARQUET, literal, withDatabase } from '#adapters/duckdb/database.ts';
import { onnxScoring } from '#adapters/onnx/scoring.ts';
import { digestOf } from '#domain/canonical/digest.ts';
import { judgeTrainerPredictions, type TrainerAgreement } from '#domain/model/trainer-predictions.ts';
import { trainingHyperparameters } from '#domain/model/training.ts';
import { compileModel } from '#model/compile.ts';
import { runTraining, trainingEnvironment } from './_lifecycle.ts';
import { runPrograms } from './_programs.ts';

const ROOT = join(import.meta.dirname, '../..');

/** A run of a training program: where it runs, the rows it is given (none: no file), and what it must say, if it must fail. */
interface Case {
  readonly name: string;
  readonly select?: (row: (label: string) => string) => string;
  readonly more?: Readonly<Record<string, string>>;
  readonly failure?: string;
}

/** The programs that come with the product, each with rows that it trains on, and with what it refuses. */
const PROGRAMS: Readonly<Record<string, { readonly sound: Omit<Case, 'name'>; readonly failing: readonly Case[] }>> = {
  'models/flight-delay': {
    sound: { select: (row) => row('(i % 7 = 0)::INTEGER'), more: { iterations: '3' } },
    failing: [
      { name: 'one-class', select: (row) => row('0'), failure: 'one class only: every late is 0' },
      {
        name: 'missing',
        select: (row) => `SELECT * EXCLUDE (weekday) FROM (${row('i % 2')})`,
        failure: 'column weekday is missing',
      },
      { name: 'no-rows', select: (row) => `SELECT * FROM (${row('i % 2')}) WHERE false`, failure: 'no rows' },
      { name: 'no-file', failure: 'no Parquet file' },
      { name: 'other-labels', select: (row) => row('i % 3'), failure: 'late is to be 0 or 1' },
      {
        name: 'word',
        select: (row) => row('i % 2'),
        more: { iterations: 'many' },
        failure: "hyperparameter iterations is 'many'",
      },
    ],
  },
  'cli/templates/model': {
    sound: { select: (row) => row('(i % 7 = 0)::INTEGER') },
    failing: [
      {
        name: 'empty-features',
        select: (row) => `SELECT * REPLACE (NULL::FLOAT AS hour, 'NaN'::FLOAT AS customer_rate) FROM (${row('i % 2')})`,
        failure: 'ValueError: no row has a value of hour, customer_rate: correct the features',
      },
    ],
  },
};

let folder = '';

/** Puts a case's rows where the model's program reads them; its folder and its hyperparameters. */
async function prepared(model: string, { name, select, more }: Case) {
  const definition = await compileModel(join(ROOT, model));
  const columns = definition.features.columns.map(
    (column, index) => `(i * ${String(index + 1)} % 37)::FLOAT AS ${column}`,
  );
  const row = (label: string): string =>
    `SELECT 'id' || i AS ${definition.events.id}, DATE '2001-02-01' AS day, ${columns.join(', ')}, ${label} AS ${definition.labels.value} FROM range(400) AS t(i)`;
  const target = join(folder, model, name);
  if (select !== undefined)
    await withDatabase('512MB', async (connection) => {
      await mkdir(join(target, 'train'), { recursive: true });
      await connection.run(`COPY (${select(row)}) TO ${literal(join(target, 'train/train.parquet'))} (${PARQUET})`);
    });
  const { local } = definition.training;
  return { folder: target, local, hyperparameters: { ...trainingHyperparameters(definition), ...more } };
}

/** How a run ended: its code, the reason that it gave, and what it left. */
async function resultOf(model: string, name: string, { code }: { readonly code: number | null }) {
  const read = (path: string) => readFile(join(folder, model, name, path)).catch(() => undefined);
  const [failure, onnx] = await Promise.all([read('output/failure'), read('model/model.onnx')]);
  return {
    code,
    ...(failure === undefined ? {} : { failure: failure.toString() }),
    ...(onnx === undefined ? {} : { model: digestOf(onnx) }),
  };
}

/** What each run of each program ended with, by model and name. */
const results = new Map<string, Awaited<ReturnType<typeof resultOf>>>();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-models-'));
  const inOne = Object.entries(PROGRAMS).flatMap(([model, { sound, failing }]) =>
    [{ ...sound, name: 'second' }, ...failing].map((each) => ({ model, each })),
  );
  const runs = await Promise.all(
    inOne.map(async ({ model, each }) => {
      const { folder: target, hyperparameters, local } = await prepared(model, each);
      const [command, program = ''] = local;
      expect(command).toBe('python');
      const env = await trainingEnvironment(target, hyperparameters);
      return { program: join(ROOT, model, program), cwd: join(ROOT, model), env };
    }),
  );
  const modules = ['skl2onnx', 'sklearn.ensemble', 'sklearn.linear_model', 'pyarrow.parquet'];
  // The first of each model in an interpreter of its own, with another hash seed than that of all others.
  const firsts = Object.entries(PROGRAMS).map(async ([model, { sound }]) => {
    const first = await runTraining({
      ...(await prepared(model, { ...sound, name: 'first' })),
      model: join(ROOT, model),
    });
    results.set(`${model} first`, await resultOf(model, 'first', first));
  });
  const [ended] = await Promise.all([runPrograms({ modules, runs }), ...firsts]);
  for (const [index, { model, each }] of inOne.entries())
    results.set(`${model} ${each.name}`, await resultOf(model, each.name, ended[index] ?? { code: null }));
});
afterAll(() => rm(folder, { recursive: true }));

it.each(Object.keys(PROGRAMS))('the training program of %s leaves the same model each time', (model) => {
  const first = results.get(`${model} first`);
  expect(first).toEqual({ code: 0, model: expect.stringContaining('sha256:') });
  expect(results.get(`${model} second`)).toEqual(first);
});

it.each(Object.keys(PROGRAMS))(
  'the training program of %s leaves predictions that its ONNX file gives',
  async (model) => {
    const at = (path: string): string => join(folder, model, 'first', path);
    const definition = await compileModel(join(ROOT, model));
    const again = await onnxScoring.predictAgain(await readFile(at('model/model.onnx')), definition, {
      predictions: at('model/predictions.parquet'),
      rowsOf: async () => at('train/train.parquet'),
    });
    expect(again.kind === 'refused' ? again : judgeTrainerPredictions(again.rows)).toMatchObject({
      kind: 'agrees',
      agreement: { rows: 200 } satisfies Partial<TrainerAgreement>,
    });
  },
);

it.each(Object.entries(PROGRAMS))('the training program of %s says why it failed', (model, { failing }) => {
  for (const { name, failure } of failing)
    expect(results.get(`${model} ${name}`), name).toEqual({ code: 1, failure: expect.stringContaining(failure ?? '') });
});
