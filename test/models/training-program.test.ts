import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PARQUET, literal, withDatabase } from '#adapters/duckdb/database.ts';
import { digestOf } from '#domain/canonical/digest.ts';
import type { ModelDefinition } from '#domain/model/definition.ts';
import { trainingHyperparameters } from '#domain/model/training.ts';
import { compileModel } from '#model/compile.ts';
import { runTraining, trainingEnvironment } from './_lifecycle.ts';
import { runPrograms } from './_programs.ts';

const FLIGHTS = join(import.meta.dirname, '../../models/flight-delay');

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-models-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('the training program of flight-delay', () => {
  interface Case {
    readonly name: string;
    readonly select?: string;
    readonly more?: Readonly<Record<string, string>>;
  }
  let columns = '';
  let definition: ModelDefinition;
  const row = (late: string): string =>
    `SELECT 'f' || i AS flight_id, DATE '2001-02-01' AS day, ${columns}, ${late} AS late FROM range(400) AS t(i)`;
  beforeAll(async () => {
    definition = await compileModel(FLIGHTS);
    columns = definition.features.columns
      .map((column, index) => `(i * ${String(index + 1)} % 37)::FLOAT AS ${column}`)
      .join(', ');
  });

  /** Puts a case's rows where its program reads them; its folder and its hyperparameters. */
  async function prepared({ name, select, more }: Case) {
    const target = join(folder, name);
    if (select !== undefined) {
      await withDatabase('512MB', async (connection) => {
        await mkdir(join(target, 'train'), { recursive: true });
        await connection.run(`COPY (${select}) TO ${literal(join(target, 'train/train.parquet'))} (${PARQUET})`);
      });
    }
    return { folder: target, hyperparameters: { ...trainingHyperparameters(definition), ...more } };
  }

  async function resultOf(name: string, { code }: { readonly code: number | null }) {
    const read = (path: string) => readFile(join(folder, name, path)).catch(() => undefined);
    const [failure, model] = await Promise.all([read('output/failure'), read('model/model.onnx')]);
    return {
      code,
      ...(failure === undefined ? {} : { failure: failure.toString() }),
      ...(model === undefined ? {} : { model: digestOf(model) }),
    };
  }

  let failing: readonly (Case & { readonly failure: string })[] = [];
  const results = new Map<string, Awaited<ReturnType<typeof resultOf>>>();
  beforeAll(async () => {
    failing = [
      { name: 'one-class', select: row('0'), failure: 'one class only: every late is 0' },
      {
        name: 'missing',
        select: `SELECT * EXCLUDE (weekday) FROM (${row('i % 2')})`,
        failure: 'column weekday is missing',
      },
      { name: 'no-rows', select: `SELECT * FROM (${row('i % 2')}) WHERE false`, failure: 'no rows' },
      { name: 'no-file', failure: 'no Parquet file' },
      { name: 'other-labels', select: row('i % 3'), failure: 'late is to be 0 or 1' },
      {
        name: 'word',
        select: row('i % 2'),
        more: { iterations: 'many' },
        failure: "hyperparameter iterations is 'many'",
      },
    ];
    const same = { select: row('(i % 7 = 0)::INTEGER'), more: { iterations: '3' } };
    const { local } = definition.training;
    // The first in an interpreter of its own, with another hash seed than that of all others.
    const first = await runTraining({ ...(await prepared({ ...same, name: 'first' })), model: FLIGHTS, local });
    results.set('first', await resultOf('first', first));
    const [command, program = ''] = local;
    expect(command).toBe('python');
    const cases = [{ ...same, name: 'second' }, ...failing];
    const ended = await runPrograms({
      program: join(FLIGHTS, program),
      modules: ['skl2onnx', 'sklearn.ensemble', 'pyarrow.parquet'],
      runs: await Promise.all(
        cases.map(async (each) => {
          const { folder: target, hyperparameters } = await prepared(each);
          return { cwd: FLIGHTS, env: await trainingEnvironment(target, hyperparameters) };
        }),
      ),
    });
    for (const [index, { name }] of cases.entries())
      results.set(name, await resultOf(name, ended[index] ?? { code: null }));
  });

  it('leaves the same model each time', () => {
    expect(results.get('first')).toMatchObject({ code: 0, model: expect.stringContaining('sha256:') });
    expect(results.get('second')).toEqual(results.get('first'));
  });

  it('says why it failed', () => {
    for (const { name, failure } of failing)
      expect(results.get(name), name).toEqual({ code: 1, failure: expect.stringContaining(failure) });
  });
});
