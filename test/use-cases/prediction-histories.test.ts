import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { partitionItem } from '#domain/data/partition-item.ts';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { literal, rowsOf, withDatabase } from '#adapters/duckdb/database.ts';
import * as engine from '#adapters/duckdb/engine.ts';
import { onnxScoring } from '#adapters/onnx/scoring.ts';
import { memoryPredictionRows } from '#adapters/memory/prediction-rows.ts';
import { readScoredRows } from '#adapters/duckdb/scored-rows.ts';
import { type Digest, digestOf } from '#domain/canonical/digest.ts';
import { predictionDigest } from '#domain/data/feature-work.ts';
import {
  addDays,
  type AdmittedPartition,
  daysBetween,
  partitionDigest,
  type PartitionKind,
} from '#domain/data/partition.ts';
import { withoutKey } from '#domain/ledger/item.ts';
import { keys } from '#domain/ledger/keys.ts';
import type { ModelDefinition } from '#domain/model/definition.ts';
import { PredictionManifest } from '#domain/prediction/manifest.ts';
import { advancePointer, pointerWrite } from '#domain/promotion/pointer.ts';
import { readPointer } from '#read-model/pointer.ts';
import { seedOfThisRun } from '#test/_helpers/seed.ts';
import { gathering } from '#test/adapters/onnx/_models.ts';
import { execute, TaskError } from '#local/statemachines/interpreter.ts';
import { recordRunFailure } from '#use-cases/runs/record-run-failure.ts';
import { buildDailyPartition, buildFeaturePartition } from '#use-cases/data/build-partitions.ts';
import { planReconciliation } from '#use-cases/inference/plan-reconciliation.ts';
import { publishPredictions } from '#use-cases/inference/publish-predictions.ts';
import { publishRows } from '#use-cases/inference/publish-rows.ts';
import { reportRun } from '#use-cases/inference/report-run.ts';
import { scorePartitions } from '#use-cases/inference/score-partitions.ts';
import type { Task } from '#use-cases/task.ts';
import { definition as base, type Environment, makeRelease, MODEL, world } from './_environments.ts';

/*
 * Histories of data, releases, crashes and late writers through the machine, the use-cases, DuckDB and onnxruntime: what
 * is published in the end has the bytes that a run from scratch gives.
 */

const FIRST = '2001-01-10';
const DAYS = 4;
const SQL = {
  'features/daily.sql': 'SELECT who, avg(CAST(bad AS INTEGER)) AS rate FROM labels JOIN events USING (id) GROUP BY who',
  'features/features.sql': `SELECT id, who, moment, x, coalesce(rate, 0.5) AS rate, 1 - x AS rest
    FROM events LEFT JOIN (SELECT who, avg(rate) AS rate FROM daily GROUP BY who) USING (who)
    WHERE CAST(moment AS DATE) = getvariable('partition')`,
};
const definition: ModelDefinition = {
  ...base,
  events: {
    ...base.events,
    time: 'moment',
    columns: { id: 'VARCHAR', who: 'VARCHAR', moment: 'TIMESTAMP', x: 'DOUBLE' },
  },
  labels: { ...base.labels, columns: { id: 'VARCHAR', bad: 'BOOLEAN', seen: 'TIMESTAMP' } },
  features: {
    ...base.features,
    daily: { path: 'features/daily.sql', sha256: digestOf(SQL['features/daily.sql']) },
    features: { path: 'features/features.sql', sha256: digestOf(SQL['features/features.sql']) },
    columns: ['x', 'rate', 'rest'],
    aggregateDays: 2,
    eventDays: 1,
  },
  predictions: { modes: ['batch'], days: 3, lookup: true },
};
/** Three releases that say different things of the same row: its rate, what is left of x, and x. */
const MODELS = [gathering([0n, 1n]), gathering([0n, 2n]), gathering([1n, 0n])];

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-test-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

type Value = readonly [id: number, value: number];

/** A day's events or labels as Parquet; the same values are the same bytes, and are written once. */
const files = new Map<string, Uint8Array>();
async function parquet(kind: PartitionKind, day: string, values: readonly Value[]): Promise<Uint8Array> {
  const key = JSON.stringify([kind, day, values]);
  const known = files.get(key);
  if (known !== undefined) return known;
  const eventDay = kind === 'events' ? day : addDays(day, -1);
  const rows = values.map(([id, value]) =>
    kind === 'events'
      ? `('${eventDay} ${id}', 'who-${id % 2}', TIMESTAMP '${day} 0${id % 10}:00:00', ${value / 10}::DOUBLE)`
      : `('${eventDay} ${id}', ${String(value > 4)}, TIMESTAMP '${day} 12:00:00')`,
  );
  const columns = kind === 'events' ? 'id, who, moment, x' : 'id, bad, seen';
  const path = join(folder, 'part.parquet');
  await withDatabase('256MB', (connection) =>
    connection.run(
      `COPY (SELECT * FROM (VALUES ${rows.join(', ')}) AS t(${columns})) TO ${literal(path)} (FORMAT parquet)`,
    ),
  );
  const content = await readFile(path);
  files.set(key, content);
  return content;
}

/** Admits a partition, empty where it has no values. */
async function admit({ ledger, lake, clock }: Environment, kind: PartitionKind, day: string, values: readonly Value[]) {
  const key = keys.partition(MODEL, kind, day);
  const objects = [];
  if (values.length > 0) {
    const content = await parquet(kind, day, values);
    const name = `toy/${kind}/dt=${day}/${digestOf(content)}.parquet`;
    lake.sources.set(name, content);
    objects.push({ bucket: 'landing', key: name, versionId: '1', sha256: digestOf(content), size: content.length });
  }
  const version = Number((await ledger.get(key))?.['version'] ?? 0) + 1;
  const digest = partitionDigest(objects);
  const admittedAt = clock.now().toISOString();
  const partition: AdmittedPartition = {
    formatVersion: 1,
    model: MODEL,
    kind,
    day,
    version,
    digest,
    objects,
    admittedAt,
  };
  await ledger.transact([{ kind: 'put', item: partitionItem(key, partition) }], `admit ${kind} ${day} ${version}`);
}

/** What serving a release writes; how it came to be promoted is not tested here. */
async function serve({ ledger, releases, clock, environment }: Environment, index: number): Promise<void> {
  const previous = await readPointer(ledger, MODEL);
  const onnx = MODELS[index] ?? new Uint8Array();
  const current = await makeRelease(releases, `release ${index}`, 'trained', { definition, sql: SQL, onnx });
  if (previous?.current === current) return;
  const at = clock.now().toISOString();
  const about = { model: MODEL, environment, current, version: `0.1.${index}`, fencingToken: 1, writtenBy: 'test', at };
  const next = advancePointer(previous, about, []);
  await ledger.transact([pointerWrite(previous, next)], `serve ${next.seq}`);
}

interface Run {
  readonly crashIn?: string | undefined;
  /** Loses these of the batches that it scores. */
  readonly losing?: number;
  /** What happens just before it publishes. */
  readonly before?: () => Promise<void>;
}

let runs = 0;
async function run(prod: Environment, { crashIn, losing = 0, before }: Run = {}): Promise<void> {
  runs += 1;
  const name = `run-${runs}`;
  const report = reportRun(prod);
  const score = scorePartitions({ ...prod, scoring: onnxScoring });
  let scored = 0;
  const tasks: Record<string, Task> = {
    'Plan reconciliation': planReconciliation(prod),
    'Build daily partition': buildDailyPartition({ ...prod, engine }),
    'Build feature partition': buildFeaturePartition({ ...prod, engine }),
    'Score partition': async (parameters) => {
      scored += 1;
      return (losing >> (scored - 1)) % 2 === 1 ? { status: 'scored', refused: null } : score(parameters);
    },
    'Publish rows': publishRows({
      ...prod,
      rows: tables.get(prod) ?? memoryPredictionRows(),
      readRows: readScoredRows,
    }),
    'Publish predictions': publishPredictions(prod),
    'Report run': report,
    'Report idle run': report,
    'Record failure': recordRunFailure(prod),
  };
  await execute('batch-inference', { model: MODEL, run: name, trigger: 'test' }, async ({ state, payload }) => {
    if (state === crashIn) throw new TaskError('Runtime.HandlerError');
    if (state === 'Publish predictions') await before?.();
    return JSON.parse(JSON.stringify(await tasks[state]?.(payload['input']))) as unknown;
  });
}
const tables = new Map<Environment, ReturnType<typeof memoryPredictionRows>>();

async function published({ ledger }: Environment): Promise<PredictionManifest[]> {
  return (await ledger.query(keys.predictions(MODEL))).map((item) => withoutKey(PredictionManifest, item));
}

/** The partitions that were read already: nothing that is named by its content changes. */
const read = new Map<object, Set<Digest>>();

/** Each published partition is whole, and what its manifest says: no mixture, and looked up alike. */
async function checkReaders(prod: Environment): Promise<void> {
  const rows = tables.get(prod);
  for (const { day, features, release: of, scorer, object } of await published(prod)) {
    const name = predictionDigest(features, of, scorer);
    const built = await prod.lake.find('predictions', MODEL, name);
    expect(built?.object.sha256, day).toBe(object.sha256);
    if (rows === undefined || read.get(rows)?.has(name) === true) continue;
    read.set(rows, (read.get(rows) ?? new Set()).add(name));
    const path = join(folder, 'read.parquet');
    await writeFile(path, prod.lake.objects.get(object.key)?.content ?? new Uint8Array());
    const stored = await withDatabase('256MB', (connection) =>
      rowsOf(connection, `SELECT row_id AS row, prediction FROM ${literal(path)} ORDER BY row_id`),
    );
    const found = (await Promise.all(['who-0', 'who-1'].map((who) => rows.of(MODEL, who))))
      .flat()
      .filter(({ predictions }) => predictions === name)
      .map(({ row, prediction }) => ({ row, prediction }))
      .toSorted((a, b) => (a.row < b.row ? -1 : 1));
    expect(found, day).toEqual(stored);
  }
}

const values = fc.uniqueArray(fc.tuple(fc.nat(5), fc.nat(9)), { selector: ([id]) => id, maxLength: 5 });
const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('data' as const),
      of: fc.constantFrom<PartitionKind>('events', 'labels'),
      day: fc.nat(DAYS - 1),
      values,
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('serve' as const), release: fc.nat(2) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('run' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('crash' as const),
      state: fc.constantFrom('Build feature partition', 'Score partition', 'Publish rows', 'Publish predictions'),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('partial run' as const), losing: fc.integer({ min: 1, max: 3 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('superseded run' as const),
      release: fc.nat(2),
      day: fc.nat(DAYS - 1),
      values,
    }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

async function take(prod: Environment, of: Step): Promise<void> {
  switch (of.kind) {
    case 'data':
      return admit(prod, of.of, addDays(FIRST, of.day), of.values);
    case 'serve':
      return serve(prod, of.release);
    case 'run':
      return run(prod);
    case 'crash':
      return run(prod, { crashIn: of.state });
    case 'partial run':
      return run(prod, { losing: of.losing });
    case 'superseded run':
      // While it was at work the release and the data changed, and another run was quicker.
      return run(prod, {
        before: async () => {
          await serve(prod, of.release);
          await admit(prod, 'events', addDays(FIRST, of.day), of.values);
          await run(prod);
        },
      });
  }
}

function environment(): Environment {
  const prod = world().environment('prod');
  tables.set(prod, memoryPredictionRows());
  return prod;
}

/** A twentieth of what `npm run bench -- prediction-histories` runs, and each run of the tests has other ones. */
const HISTORIES = Number(process.env['GATEHOUSE_HISTORIES'] ?? 5);
const seed = seedOfThisRun('prediction histories', 'npx vitest run test/use-cases/prediction-histories.test.ts');
/** Histories that are always among them: one that carries rows over, and below it each that has failed once. */
const KEPT: [Step[]][] = [
  [
    [
      {
        kind: 'data',
        of: 'events',
        day: DAYS - 1,
        values: [
          [0, 3],
          [1, 4],
          [2, 5],
          [3, 9],
        ],
      },
      { kind: 'run' },
    ],
  ],
];

let carried = 0;
it('histories end with the bytes of a run from scratch', { timeout: 600_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 7 }), async (steps) => {
      const prod = environment();
      for (const [index, day] of daysBetween(FIRST, addDays(FIRST, DAYS - 1)).entries()) {
        await admit(
          prod,
          'events',
          day,
          [0, 1, 2, 3].map((id) => [id, (id + index) % 10]),
        );
        if (index > 0)
          await admit(prod, 'labels', day, [
            [0, 9],
            [1, index],
          ]);
      }
      await serve(prod, 0);
      await run(prod);
      for (const each of steps) {
        await take(prod, each);
        await checkReaders(prod);
      }
      await run(prod);
      await checkReaders(prod);
      for (const { lineage } of await published(prod)) carried += lineage?.carried ?? 0;

      const scratch = environment();
      for (const kind of ['events', 'labels'] as const)
        for (const item of await prod.ledger.query(keys.partitions(MODEL, kind)))
          await scratch.ledger.transact([{ kind: 'put', item }], `copy ${item.sk} ${kind}`);
      for (const [key, content] of prod.lake.sources) scratch.lake.sources.set(key, content);
      const pointer = await readPointer(prod.ledger, MODEL);
      await serve(scratch, Number(pointer?.version.split('.').at(-1)));
      await run(scratch);
      const bytesOf = async (of: Environment) =>
        (await published(of)).map(({ day, features, release: by, rows, object }) => ({
          day,
          features,
          by,
          rows,
          sha256: object.sha256,
        }));
      const expected = await bytesOf(scratch);
      const days = new Set(expected.map(({ day }) => day));
      expect((await bytesOf(prod)).filter(({ day }) => days.has(day))).toEqual(expected);
    }),
    { numRuns: HISTORIES, seed, examples: KEPT },
  );
});

it('and rows were carried over on the way', () => {
  expect(carried).toBeGreaterThan(0);
});
