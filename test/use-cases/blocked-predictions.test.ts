import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { literal, withDatabase } from '#adapters/duckdb/database.ts';
import * as engine from '#adapters/duckdb/engine.ts';
import { isAlerting } from '#domain/audit/events.ts';
import { canonicalJson, digestOf } from '#domain/canonical/digest.ts';
import { addDays, daysBetween, type ObjectReference, type PartitionKind } from '#domain/data/partition.ts';
import { keys } from '#domain/ledger/keys.ts';
import type { ModelDefinition } from '#domain/model/definition.ts';
import { advancePointer, pointerWrite } from '#domain/promotion/pointer.ts';
import type { PartitionCheck } from '#ports/feature-engine.ts';
import { execute } from '#local/statemachines/interpreter.ts';
import { readOpenRefusals } from '#read-model/refusals.ts';
import { admitPartition } from '#use-cases/admission/admit-partition.ts';
import { recordRunFailure } from '#use-cases/runs/record-run-failure.ts';
import { buildDailyPartition, buildFeaturePartition } from '#use-cases/data/build-partitions.ts';
import { memoryMetrics } from '#adapters/memory/metrics.ts';
import { checkServiceLevel } from '#use-cases/inference/check-service-level.ts';
import { planReconciliation } from '#use-cases/inference/plan-reconciliation.ts';
import { publishPredictions } from '#use-cases/inference/publish-predictions.ts';
import { reportRun } from '#use-cases/inference/report-run.ts';
import { scorePartitions } from '#use-cases/inference/score-partitions.ts';
import type { Task } from '#use-cases/task.ts';
import { definition as base, deployed, type Environment, hours, MODEL, SQL, world } from './_environments.ts';
import { makeRelease } from './_releases.ts';

/*
 * Production with real features: what becomes of days whose labels came in a type that was not declared, whether that was
 * found when they arrived or only when they were read.
 */

const sql = {
  'features/daily.sql': 'SELECT who, avg(CAST(bad AS INTEGER)) AS rate FROM labels JOIN events USING (id) GROUP BY who',
  'features/features.sql': `SELECT id, who, moment, x, coalesce(rate, 0.5) AS rate
    FROM events LEFT JOIN (SELECT who, avg(rate) AS rate FROM daily GROUP BY who) USING (who)
    WHERE CAST(moment AS DATE) = getvariable('partition')`,
} satisfies Record<keyof typeof SQL, string>;
const definition: ModelDefinition = {
  ...base,
  events: {
    ...base.events,
    time: 'moment',
    columns: { id: 'VARCHAR', who: 'VARCHAR', moment: 'TIMESTAMP', x: 'DOUBLE' },
  },
  labels: { ...base.labels, columns: { id: 'VARCHAR', bad: 'BOOLEAN', seen: 'TIMESTAMP' } },
  features: {
    daily: { path: 'features/daily.sql', sha256: digestOf(sql['features/daily.sql']) },
    features: { path: 'features/features.sql', sha256: digestOf(sql['features/features.sql']) },
    columns: ['x', 'rate'],
    aggregateDays: 3,
    eventDays: 1,
  },
  predictions: { modes: ['batch'], days: 6 },
};
const FIRST = '2001-01-10';
const BAD = '2001-01-13';
/** The days whose aggregates see the labels of that day. */
const AFTER = ['2001-01-14', '2001-01-15', '2001-01-16'];
const rule = 'source-columns-declared';
const cause = 'column bad is BIGINT, declared BOOLEAN';

let folder: string;
const files = new Map<string, Uint8Array>();
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-test-'));
  await withDatabase('256MB', async (connection) => {
    const write = async (name: string, select: string): Promise<void> => {
      const path = join(folder, 'part.parquet');
      await connection.run(`COPY (${select}) TO ${literal(path)} (FORMAT parquet)`);
      files.set(name, await readFile(path));
    };
    for (const day of daysBetween(FIRST, addDays(FIRST, 8))) {
      const labels = `SELECT '${addDays(day, -1)} ' || i AS id, i > 1 AS bad, TIMESTAMP '${day} 12:00:00' AS seen FROM range(3) t(i)`;
      await write(
        `events ${day}`,
        `SELECT '${day} ' || i AS id, 'who' AS who, TIMESTAMP '${day} 03:00:00' AS moment, i::DOUBLE AS x FROM range(3) t(i)`,
      );
      await write(`labels ${day}`, labels);
      await write(`wrong ${day}`, `SELECT * REPLACE (bad::BIGINT AS bad) FROM (${labels})`);
    }
  });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

let here: ReturnType<typeof world>;
let prod: Environment;
let landings: number;
let runs: number;
beforeEach(async () => {
  here = world();
  prod = here.environment('prod');
  [landings, runs] = [0, 0];
  const current = await makeRelease(prod.releases, 'served', 'trained', {
    definition,
    sql,
    onnx: new TextEncoder().encode('MODEL served'),
  });
  const at = here.clock.now().toISOString();
  const about = {
    model: MODEL,
    environment: 'prod',
    current,
    version: '0.1.1',
    fencingToken: 1,
    writtenBy: 'test',
    at,
  };
  await prod.ledger.transact([pointerWrite(undefined, advancePointer(undefined, about, []))], 'serve');
});

/** A check that sees nothing, as before there was one. */
const unchecked: PartitionCheck = { checkPartition: async () => undefined };

/** Lands a partition with its marker. */
async function land(kind: PartitionKind, day: string, content: string, check: PartitionCheck = engine) {
  landings += 1;
  const bytes = files.get(`${content} ${day}`) ?? new Uint8Array();
  const at = { bucket: 'landing', versionId: String(landings) };
  const part = { ...at, key: `toy/${kind}/dt=${day}/part.parquet`, sha256: digestOf(bytes), size: bytes.length };
  const marker = { ...at, key: `toy/${kind}/dt=${day}/_READY`, sha256: digestOf(''), size: 0 };
  prod.lake.sources.set(part.key, bytes);
  const [model] = deployed.models;
  if (model === undefined) throw new Error('no model');
  return admitPartition(
    {
      ...prod,
      deployed: { ...deployed, models: [{ ...model, definition }] },
      engine: check,
      landing: {
        list: async () => [part, marker],
        copy: async ({ key }: ObjectReference, path) => writeFile(path, prod.lake.sources.get(key) ?? new Uint8Array()),
      },
      announce: async () => undefined,
    },
    marker.key,
  );
}

/** Seven days of events and labels, one of the latter with numbers in place of yes and no. */
async function landWeek(check?: PartitionCheck): Promise<void> {
  for (const day of daysBetween(FIRST, '2001-01-16')) {
    await land('events', day, 'events', check);
    await land('labels', day, day === BAD ? 'wrong' : 'labels', check);
  }
}

async function batch() {
  runs += 1;
  const run = `run-${runs}`;
  const report = reportRun(prod);
  const tasks: Record<string, Task> = {
    'Plan reconciliation': planReconciliation(prod),
    'Build daily partition': buildDailyPartition({ ...prod, engine }),
    'Build feature partition': buildFeaturePartition({ ...prod, engine }),
    'Score partition': scorePartitions(prod),
    'Publish predictions': publishPredictions(prod),
    'Report run': report,
    'Report idle run': report,
    'Record failure': recordRunFailure(prod),
  };
  const { status } = await execute('batch-inference', { model: MODEL, run, trigger: 'test' }, async (call) =>
    JSON.parse(JSON.stringify(await tasks[call.state]?.(call.payload['input']))),
  );
  expect(status).toBe('SUCCEEDED');
  return prod.ledger.get(keys.run(MODEL, run));
}

const published = async () => (await prod.ledger.query(keys.predictions(MODEL))).map(({ sk }) => sk);
const refused = async () => (await readOpenRefusals(prod.ledger, MODEL)).map(({ kind, day }) => `${kind} ${day}`);
const records = async (code: string) => (await prod.chain()).filter((record) => record.code === code);
const check = () => checkServiceLevel({ ...prod, metrics: memoryMetrics() })({ model: MODEL });

describe.each([
  ['when they are read', unchecked, []],
  ['when they arrive', engine, [`labels ${BAD}`]],
] as const)('days that depend on labels which are refused %s', (_, checking, atAdmission) => {
  beforeEach(() => landWeek(checking));

  it('are recorded with the cause, once, and published when the partition is landed again as it should be', async () => {
    const first = await batch();
    expect(await published()).toEqual(['2001-01-11', '2001-01-12', '2001-01-13']);
    expect(first).toMatchObject({ status: 'published', published: 3, blockedDays: 3 });
    const [record] = await records('PREDICTIONS_BLOCKED');
    expect(record?.details).toMatchObject({ run: 'run-1', rule, count: 3, days: AFTER });
    expect(record?.details['found']).toContain(cause);
    expect(await refused()).toEqual([...atAdmission, ...AFTER.map((day) => `predictions ${day}`)]);

    // A run that has nothing else to do says so, and tells nobody again.
    here.clock.at += hours(1);
    const second = await batch();
    expect(second).toMatchObject({ status: 'blocked', published: 0, blockedDays: 3 });
    expect(second?.['blocked']).toMatchObject(AFTER.map((day) => ({ day, rule })));
    expect(JSON.stringify(second?.['blocked'])).toContain(cause);
    expect(await records('PREDICTIONS_BLOCKED')).toHaveLength(1);
    expect(isAlerting('PREDICTIONS_BLOCKED', {})).toBe(true);

    // Overdue after the hours of the service level, once a day.
    here.clock.at += hours(22);
    expect(await check()).toMatchObject({ status: 'kept', hours: 24, newest: BAD });
    here.clock.at += hours(1) + 1;
    for (let time = 0; time < 3; time += 1) expect(await check()).toMatchObject({ status: 'overdue', overdue: 3 });
    const [overdue, ...others] = await records('PREDICTIONS_OVERDUE');
    expect(others).toEqual([]);
    expect(overdue?.details).toMatchObject({ hours: 24, count: 3, days: AFTER, newest: BAD });
    expect(overdue?.details['causes']).toEqual([expect.stringContaining(cause)]);
    expect(isAlerting('PREDICTIONS_OVERDUE', {})).toBe(true);
    here.clock.at += hours(24);
    await check();
    expect(await records('PREDICTIONS_OVERDUE')).toHaveLength(2);

    await land('labels', BAD, 'labels', checking);
    expect(await batch()).toMatchObject({ status: 'published', published: 3, blockedDays: 0, blocked: [] });
    expect(await published()).toHaveLength(6);
    expect(await refused()).toEqual([]);
    expect(await batch()).toMatchObject({ status: 'up-to-date' });
    expect(await check()).toMatchObject({ status: 'kept', newest: '2001-01-16' });
  });
});

describe('the service level', () => {
  it('knows days that no run was asked for, that wait for data which did not come, and whose events are refused', async () => {
    for (const day of daysBetween(FIRST, '2001-01-12')) {
      await land('events', day, 'events');
      await land('labels', day, 'labels');
    }
    await batch();
    await land('events', '2001-01-13', 'events');
    await land('events', '2001-01-14', 'events');
    await land('events', '2001-01-15', 'labels');
    here.clock.at += hours(25);
    expect(await check()).toMatchObject({ status: 'overdue', overdue: 3 });
    const [record] = await records('PREDICTIONS_OVERDUE');
    expect(record?.details).toMatchObject({
      days: ['2001-01-13', '2001-01-14', '2001-01-15'],
      causes: [
        'no batch run has published it',
        '2001-01-14 waits for labels of 2001-01-13',
        expect.stringContaining('column who is missing'),
      ],
    });
    // What waits for data is no refusal: the run says that it waits.
    expect(await batch()).toMatchObject({ status: 'published', published: 1, waiting: 1 });
    expect(await batch()).toMatchObject({ status: 'waiting', published: 0 });
  });

  it('counts from when a release began to serve, and from a correction', async () => {
    await landWeek(engine);
    await land('labels', BAD, 'labels');
    await batch();
    here.clock.at += hours(100);
    expect(await check()).toMatchObject({ status: 'kept' });
    prod.lake.sources.clear();
    files.set('corrected 2001-01-16', files.get('events 2001-01-15') ?? new Uint8Array());
    await land('events', '2001-01-16', 'corrected', unchecked);
    expect(await check()).toMatchObject({ status: 'kept' });
    here.clock.at += hours(25);
    expect(await check()).toMatchObject({ status: 'overdue', overdue: 1 });
  });

  it('is not required of a day that nobody landed, and a run says that there is no data', async () => {
    here.clock.at += hours(100);
    expect(await check()).toEqual({ status: 'kept', hours: 24, newest: null });
    expect(await batch()).toMatchObject({ status: 'no-data', published: 0 });
  });

  it('asks nothing where nothing is served', async () => {
    const staging = { ...world().environment('staging'), metrics: memoryMetrics() };
    expect(await checkServiceLevel(staging)({ model: MODEL })).toEqual({ status: 'nothing-served' });
  });
});

it('a day whose features are not built is not scored, and says which are missing', async () => {
  const features = digestOf('never built');
  const items = [{ release: digestOf('served'), day: FIRST, features }];
  const work = new TextEncoder().encode(canonicalJson({ formatVersion: 1, model: MODEL, items }));
  const { digest } = await prod.documents.write(work);
  expect(await scorePartitions(prod)({ model: MODEL, work: digest, from: 0, to: 1 })).toMatchObject({
    status: 'refused',
    refusals: [{ day: FIRST, rule: 'inputs-built', found: `features ${features} are not built` }],
  });
});
