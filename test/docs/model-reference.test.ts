// The model reference: its example compiles and names every option, its SQL runs, and what it says of defaults is so.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { literal, rowsOf, withDatabase } from '#adapters/duckdb/database.ts';
import { buildDaily, buildFeatures } from '#adapters/duckdb/featurizer.ts';
import { inspectSql, TABLES_OF } from '#adapters/duckdb/sql-guard.ts';
import type { ModelDefinition } from '#domain/model/definition.ts';
import { TRAINER_PREDICTIONS } from '#domain/model/trainer-predictions.ts';
import { trainingHyperparameters } from '#domain/model/training.ts';
import { trainingRowsFile } from '#domain/data/training-plan.ts';
import { compileModel } from '#model/compile.ts';
import type { ModelInput } from '#model/define-model.ts';
import { importDefinition } from '#model/import-definition.ts';
import { OPTIONS, schemaPath, schemaPaths } from '../../scripts/model-docs.ts';
import { blocksOf, document, spansOf } from './_documents.ts';

const reference = document('docs/model-reference.md');
const blocks = (info: string): readonly string[] =>
  blocksOf(reference)
    .filter((block) => block.info === info)
    .map(({ text }) => text);
const [example = ''] = blocks('ts');
const [daily = ''] = blocks('sql daily');
const [features = ''] = blocks('sql features');

let folder: string;
let input: ModelInput;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-reference-'));
  const file = await model('whole', example);
  input = ((await importDefinition(file)) as { default: ModelInput }).default;
});
afterAll(() => rm(folder, { recursive: true }));

/** A model called churn, in a folder of its own; its `model.ts`. */
async function model(name: string, text: string): Promise<string> {
  const root = join(folder, name, 'churn');
  const files = {
    'model.ts': text,
    'features/daily.sql': daily,
    'features/features.sql': features,
    'training/train.py': '',
  };
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
  }
  return join(root, 'model.ts');
}
let made = 0;
/** The definition of a model that says no more than this. */
async function compiled(said: object): Promise<ModelDefinition> {
  made += 1;
  return compileModel(dirname(await model(`made-${made}`, `export default ${JSON.stringify(said)};\n`)));
}

/** The paths of what an input says, with `*` for names of a model's own. */
function pathsOf(value: unknown, path: readonly string[] = []): string[] {
  if (Array.isArray(value) && value.some((each) => typeof each === 'object'))
    return value.flatMap((each) => pathsOf(each, [...path, '*']));
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [path.join('.')];
  const isRecord = /(^|\.)(columns|hyperparameters|windows)$/.test(path.join('.'));
  return Object.entries(value).flatMap(([key, each]) => pathsOf(each, [...path, isRecord ? '*' : key]));
}
/** An input without what stands at a path; a group of which nothing is left is left out as well. */
function without(value: object, [key = '', ...more]: readonly string[]): object {
  if (Array.isArray(value)) return value.map((each: object) => without(each, more));
  const entries = Object.entries(value).flatMap(([name, each]: [string, unknown]): [string, unknown][] => {
    if (key !== '*' && name !== key) return [[name, each]];
    if (more.length === 0) return key === '*' && typeof each === 'object' ? [[name, each]] : [];
    const rest = typeof each === 'object' && each !== null ? without(each, more) : each;
    return typeof rest === 'object' && Object.keys(rest ?? {}).length === 0 ? [] : [[name, rest]];
  });
  return Object.fromEntries(entries);
}
const valueAt = (of: object, path: string): unknown =>
  path.split('.').reduce<unknown>((value, key) => (value as Record<string, unknown>)[key], of);

describe('options', () => {
  it('are all that the compiled definition has, but for what is computed', () => {
    const computed = [
      'formatVersion',
      'task',
      'training.code',
      'features.daily.sha256',
      'features.features.sha256',
      'windows.*.name',
    ];
    const documented = Object.entries(OPTIONS).map(([option, given]) => schemaPath(option, given));
    expect([...documented, ...computed].toSorted()).toEqual(schemaPaths().toSorted());
  });

  it('stand in the example, each of them', async () => {
    expect([...new Set(pathsOf(input))].toSorted()).toEqual(Object.keys(OPTIONS).toSorted());
    const definition = await compileModel(join(folder, 'whole', 'churn'));
    expect(definition).toMatchObject({ name: 'churn', evaluation: { testDays: 210 } });
  });

  it('have the defaults that are documented', async () => {
    const optional = Object.entries(OPTIONS).filter(([, { unless }]) => !('required' in unless));
    const least = optional.reduce<object>((rest, [option]) => without(rest, option.split('.')), input);
    const definition = await compiled(least);
    for (const [option, given] of optional) {
      const { unless } = given;
      if ('default' in unless) expect(valueAt(definition, schemaPath(option, given)), option).toEqual(unless.default);
    }
    expect(definition).toMatchObject({
      name: 'churn',
      labels: { join: 'visit_id', columns: { visit_id: 'VARCHAR', cancelled: 'BOOLEAN', known_at: 'TIMESTAMP' } },
      features: { eventDays: 33 },
      training: { hyperparameters: {} },
    });
    for (const option of ['labels.horizonDays', 'predictions.lookup', 'predictions.onMismatch'])
      expect(valueAt(definition, option), option).toBeUndefined();
  });

  const necessary = Object.entries(OPTIONS).flatMap(([option, { unless }]) => ('required' in unless ? [option] : []));
  it.each(necessary)('%s is required, as documented', async (option) => {
    const path = option === 'windows.*.since' ? ['windows', 'everything'] : option.split('.');
    await expect(compiled(without(input, path))).rejects.toMatchObject({ code: 'BAD_MODEL' });
  });
});

describe('feature SQL', () => {
  it('of the example gives features that use a label only once it had arrived', async () => {
    const definition = await compileModel(join(folder, 'whole', 'churn'));
    const events = (day: string) =>
      `SELECT '${day}-' || i AS visit_id, 'c' || i AS customer, TIMESTAMP '${day} 10:00:00' AS visited_at, i::DOUBLE AS amount FROM range(2) AS t(i)`;
    const parquet = async (name: string, select: string): Promise<string> => {
      const file = join(folder, name);
      await withDatabase('512MB', (connection) =>
        connection.run(`COPY (${select}) TO ${literal(file)} (FORMAT parquet)`),
      );
      return file;
    };
    const days = ['2024-03-01', '2024-03-02'];
    const files = await Promise.all(
      days.map(async (day) => ({ day, file: await parquet(`events-${day}`, events(day)) })),
    );
    const [first, second] = days as [string, string];
    const labels = await parquet(
      'labels',
      `SELECT '${first}-0' AS visit_id, true AS cancelled, TIMESTAMP '${second} 08:00:00' AS known_at`,
    );
    const out = join(folder, 'daily.parquet');
    const items = [{ day: second, events: files, labels: [{ day: second, file: labels }], out }];
    expect(await buildDaily({ sql: daily, definition, items })).toMatchObject([{ kind: 'built', rows: 1 }]);
    const today = await parquet('events-2024-03-03', events('2024-03-03'));
    const third = { day: '2024-03-03', file: today };
    const built = await buildFeatures({
      sql: { daily, features },
      definition,
      items: [
        { day: second, events: files, daily: [], out: join(folder, 'second.parquet') },
        {
          day: third.day,
          events: [...files, third],
          daily: [{ day: second, file: out }],
          out: join(folder, 'third.parquet'),
        },
      ],
    });
    expect(built).toMatchObject([
      { kind: 'built', rows: 2 },
      { kind: 'built', rows: 2 },
    ]);
    const rows = (name: string) =>
      withDatabase('512MB', (connection) =>
        rowsOf(
          connection,
          `SELECT customer, hour, visits_before, round(cancel_rate, 2) AS rate FROM read_parquet(${literal(join(folder, name))}) ORDER BY 1`,
        ),
      );
    expect(await rows('second.parquet')).toMatchObject([
      { customer: 'c0', hour: 10, visits_before: 1, rate: 0.5 },
      { customer: 'c1', hour: 10, visits_before: 1, rate: 0.5 },
    ]);
    expect(await rows('third.parquet')).toMatchObject([
      { customer: 'c0', visits_before: 2, rate: expect.closeTo(0.67, 5) as number },
      { customer: 'c1', visits_before: 2, rate: 0.5 },
    ]);
  });

  const inspected = (sql: string) =>
    withDatabase('512MB', (connection) => inspectSql(connection, sql, TABLES_OF.features));
  const [refused, allowed] = [blocks('sql refused'), blocks('sql allowed')];

  it('has examples of both', () => {
    expect(refused.length).toBeGreaterThan(5);
    expect(allowed.length).toBeGreaterThan(3);
  });

  it.each(refused)('is refused as documented: %s', async (sql) => {
    expect(await inspected(sql)).toMatchObject({ rule: 'feature-sql-allowed' });
  });

  it.each(allowed)('is allowed, and runs, as documented: %s', async (sql) => {
    expect(await inspected(sql)).toBeUndefined();
    await withDatabase('512MB', async (connection) => {
      await connection.run(
        'CREATE TABLE events (visit_id VARCHAR, customer VARCHAR, visited_at TIMESTAMP, amount DOUBLE)',
      );
      await connection.run("SET VARIABLE partition = DATE '2024-03-01'");
      expect(await rowsOf(connection, sql)).toEqual([]);
    });
  });
});

it('names what a training program is given, and what it may leave', async () => {
  const definition = await compileModel(join(folder, 'whole', 'churn'));
  const spans = spansOf(reference);
  const own = Object.keys(input.training.hyperparameters ?? {});
  const given = Object.keys(trainingHyperparameters(definition)).filter((name) => !own.includes(name));
  for (const name of [...given, 'model.onnx', 'metrics.json', TRAINER_PREDICTIONS, trainingRowsFile('YYYY-MM-DD')])
    expect(spans, name).toContain(name);
});
