import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { partitionItem } from '#domain/data/partition-item.ts';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { literal, withDatabase } from '#adapters/duckdb/database.ts';
import * as engine from '#adapters/duckdb/engine.ts';
import { onnxScoring } from '#adapters/onnx/scoring.ts';
import { memoryPredictionRows } from '#adapters/memory/prediction-rows.ts';
import { readScoredRows } from '#adapters/duckdb/scored-rows.ts';
import { digestOf } from '#domain/canonical/digest.ts';
import { addDays, type AdmittedPartition, partitionDigest, type PartitionKind } from '#domain/data/partition.ts';
import { withoutKey } from '#domain/ledger/item.ts';
import { keys } from '#domain/ledger/keys.ts';
import type { ModelDefinition } from '#domain/model/definition.ts';
import { PredictionManifest } from '#domain/prediction/manifest.ts';
import { advancePointer, pointerWrite } from '#domain/promotion/pointer.ts';
import { readPointer } from '#read-model/pointer.ts';
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
import { definition as base, type Environment, MODEL, world } from './_environments.ts';
import { makeRelease } from './_releases.ts';

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

export let folder: string;

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
export async function admit(
  { ledger, lake, clock }: Environment,
  kind: PartitionKind,
  day: string,
  values: readonly Value[],
) {
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
export async function serve({ ledger, releases, clock, environment }: Environment, index: number): Promise<void> {
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

export let runs = 0;

export async function run(prod: Environment, { crashIn, losing = 0, before }: Run = {}): Promise<void> {
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

export const tables = new Map<Environment, ReturnType<typeof memoryPredictionRows>>();

export async function published({ ledger }: Environment): Promise<PredictionManifest[]> {
  return (await ledger.query(keys.predictions(MODEL))).map((item) => withoutKey(PredictionManifest, item));
}

export const values = fc.uniqueArray(fc.tuple(fc.nat(5), fc.nat(9)), { selector: ([id]) => id, maxLength: 5 });

export function environment(): Environment {
  const prod = world().environment('prod');
  tables.set(prod, memoryPredictionRows());
  return prod;
}

/** A folder for the files. */
export async function begin(): Promise<void> {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-test-'));
}

/** Removes what was made. */
export async function end(): Promise<void> {
  await rm(folder, { recursive: true, force: true });
}
