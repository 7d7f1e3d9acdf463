import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PARQUET, literal, withDatabase } from '#adapters/duckdb/database.ts';
import { digestOf } from '#domain/canonical/digest.ts';
import { trainingHyperparameters } from '#domain/model/training.ts';
import { compileModel } from '#model/compile.ts';
import { runTraining } from './_lifecycle.ts';

const FLIGHTS = join(import.meta.dirname, '../../models/flight-delay');

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-models-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('the training program of flight-delay', () => {
  const row = (late: string): string =>
    `SELECT 'f' || i AS flight_id, DATE '2001-02-01' AS day, ${columns}, ${late} AS late FROM range(400) AS t(i)`;
  let columns = '';
  let hyperparameters: Record<string, string> = {};
  beforeAll(async () => {
    const definition = await compileModel(FLIGHTS);
    hyperparameters = trainingHyperparameters(definition);
    columns = definition.features.columns
      .map((column, index) => `(i * ${String(index + 1)} % 37)::FLOAT AS ${column}`)
      .join(', ');
  });

  async function train(
    name: string,
    select: string | undefined,
    more: Record<string, string> = {},
  ): Promise<{ code: number | null; failure?: string; model?: string }> {
    const target = join(folder, name);
    const definition = await compileModel(FLIGHTS);
    const input = {
      model: FLIGHTS,
      hyperparameters: { ...hyperparameters, ...more },
      folder: target,
      local: definition.training.local,
    };
    if (select !== undefined) {
      await withDatabase('512MB', async (connection) => {
        await mkdir(join(target, 'train'), { recursive: true });
        await connection.run(`COPY (${select}) TO ${literal(join(target, 'train/train.parquet'))} (${PARQUET})`);
      });
    }
    const { code } = await runTraining(input);
    const read = (path: string) => readFile(join(target, path)).catch(() => undefined);
    const [failure, model] = await Promise.all([read('output/failure'), read('model/model.onnx')]);
    return {
      code,
      ...(failure === undefined ? {} : { failure: failure.toString() }),
      ...(model === undefined ? {} : { model: digestOf(model) }),
    };
  }

  it('leaves the same model each time', async () => {
    const select = row('(i % 7 = 0)::INTEGER');
    const first = await train('first', select, { iterations: '3' });
    expect(first).toMatchObject({ code: 0, model: expect.stringContaining('sha256:') });
    expect(await train('second', select, { iterations: '3' })).toEqual(first);
  });

  it('says why it failed', async () => {
    const cases: [string, string | undefined, Record<string, string>, string][] = [
      ['one-class', row('0'), {}, 'one class only: every late is 0'],
      ['missing', `SELECT * EXCLUDE (weekday) FROM (${row('i % 2')})`, {}, 'column weekday is missing'],
      ['no-rows', `SELECT * FROM (${row('i % 2')}) WHERE false`, {}, 'no rows'],
      ['no-file', undefined, {}, 'no Parquet file'],
      ['other-labels', row('i % 3'), {}, 'late is to be 0 or 1'],
      ['word', row('i % 2'), { iterations: 'many' }, "hyperparameter iterations is 'many'"],
    ];
    const results = await Promise.all(cases.map(([name, select, more]) => train(name, select, more)));
    for (const [index, [name, , , failure]] of cases.entries()) {
      expect(results[index], name).toEqual({ code: 1, failure: expect.stringContaining(failure) });
    }
  });
});
