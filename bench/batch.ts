// Batch inference without a cloud: features and scoring beside the same engines used plainly, rolling forward, recomputing
// a part, and what a function weighs. Everything runs through the product's use-cases; only S3 and DynamoDB are in memory.
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { partitionItem } from '#domain/data/partition-item.ts';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { engineVersion, literal, name, PARQUET, withDatabase } from '#adapters/duckdb/database.ts';
import { readFeatures } from '#adapters/onnx/feature-rows.ts';
import { createScorer } from '#adapters/onnx/scorer.ts';
import { inspectOnnx } from '#adapters/onnx/inspect.ts';
import { type Digest, digestOf } from '#domain/canonical/digest.ts';
import type { WorkBatch } from '#domain/data/feature-work.ts';
import { addDays, daysBetween } from '#domain/data/partition.ts';
import type { Item } from '#domain/ledger/item.ts';
import { keys } from '#domain/ledger/keys.ts';
import { ModelDefinition } from '#domain/model/definition.ts';
import { writeDocument, writeText } from '#ports/documents.ts';
import { readCatalogue } from '#read-model/partitions.ts';
import { buildDailyPartition, buildFeaturePartition } from '#use-cases/data/build-partitions.ts';
import { planFeatureWork } from '#use-cases/data/plan-feature-work.ts';
import { planReconciliation } from '#use-cases/inference/plan-reconciliation.ts';
import { publishPredictions } from '#use-cases/inference/publish-predictions.ts';
import { scorePartitions } from '#use-cases/inference/score-partitions.ts';
import { z } from 'zod';
import { type Flights, flights } from './_flights.ts';
import { codeFigures, warmFigure } from './_functions.ts';
import { type Figure, figure, milliseconds, quantile, report } from './_report.ts';
import { trainOn } from './_training.ts';

const [FIRST, LAST] = ['2001-01-01', '2001-06-30'];
const DAYS = daysBetween(FIRST, LAST);
const folder = await mkdtemp(join(tmpdir(), 'gatehouse-bench-'));
const note = (text: string): void => console.error(`  ${text}`);
const figures: Figure[] = [];

const Planned = z.object({
  plan: z.string(),
  partitions: z.int(),
  dailyBatches: z.array(z.json()),
  featureBatches: z.array(z.json()),
  scoreBatches: z.array(z.json()),
});

/** Builds the features of some days as a retraining or a batch run would; answers their names. */
async function build(world: Flights, days: readonly string[]): Promise<readonly Digest[]> {
  const { definition } = world;
  const digest = await definitionDigest(world);
  const catalogue = await readCatalogue(world.ledger, definition.name);
  const work = await planFeatureWork(world.planning, definition.name, catalogue, [
    { source: { definition, digest }, days },
  ]);
  await each(buildDailyPartition(world), work.dailyBatches);
  await each(buildFeaturePartition(world), work.featureBatches);
  return (work.features.get(digest) ?? []).map((named) => named.digest);
}

async function each(
  task: (input: unknown) => Promise<object>,
  batches: readonly WorkBatch[] | readonly unknown[],
): Promise<void> {
  for (const batch of batches) {
    const result = z.object({ status: z.string() }).parse(await task(batch));
    if (result.status === 'refused') throw new Error(JSON.stringify(result));
  }
}

async function definitionDigest({ definition, releases, sql }: Flights): Promise<Digest> {
  for (const text of [sql.daily, sql.features]) await writeText(releases, text);
  return writeDocument(releases, ModelDefinition, definition);
}

/** The same SQL by one engine that read everything once: a table of all events, a view per day, nothing checked or named. */
async function onePass({ definition, sql, landed }: Flights): Promise<void> {
  const { events, labels, features } = definition;
  await withDatabase('6GB', async (connection) => {
    for (const kind of ['events', 'labels'] as const) {
      const files = landed.filter((each) => each.kind === kind && each.day <= LAST).map(({ file }) => literal(file));
      await connection.run(
        `CREATE TABLE all_${kind} AS FROM read_parquet([${files.join(', ')}], hive_partitioning = false)`,
      );
    }
    for (const day of DAYS) {
      await view(connection, 'events', events.time, addDays(day, -features.eventDays), day);
      await view(connection, 'labels', labels.arrivedAt, day, day);
      await connection.run(`SET VARIABLE partition = DATE ${literal(day)}`);
      const rows = `SELECT *, DATE ${literal(day)} AS "partition" FROM query(${literal(sql.daily)})`;
      await connection.run(
        day === FIRST ? `CREATE TABLE all_daily AS ${rows}` : `INSERT INTO all_daily BY NAME ${rows}`,
      );
    }
    const columns = features.columns.map((column) => `CAST(${name(column)} AS FLOAT) AS ${name(column)}`).join(', ');
    for (const day of DAYS) {
      await view(connection, 'events', events.time, addDays(day, -features.eventDays), day);
      await connection.run(
        `CREATE OR REPLACE VIEW daily AS FROM all_daily WHERE "partition" BETWEEN DATE ${literal(addDays(day, -features.aggregateDays))} AND DATE ${literal(addDays(day, -1))}`,
      );
      await connection.run(`SET VARIABLE partition = DATE ${literal(day)}`);
      await connection.run(
        `COPY (SELECT ${name(events.id)}, ${name(events.entity)}, ${name(events.time)}, ${columns} FROM query(${literal(sql.features)}) ORDER BY ${name(events.id)}) TO ${literal(join(folder, `pass-${day}.parquet`))} (${PARQUET})`,
      );
    }
  });
}

async function view(
  connection: Parameters<Parameters<typeof withDatabase>[1]>[0],
  kind: string,
  time: string,
  first: string,
  last: string,
): Promise<void> {
  await connection.run(
    `CREATE OR REPLACE VIEW ${kind} AS FROM all_${kind} WHERE ${name(time)} >= DATE ${literal(first)} AND ${name(time)} < DATE ${literal(addDays(last, 1))}`,
  );
}

note('preparing three million flights');
const world = await flights(1, { predictions: { modes: ['batch'], days: 60 } });
const { definition } = world;
await world.admit(addDays(LAST, -7));
note('features of 174 partitions');
const beforeLastWeek = DAYS.slice(0, -7);
const featureMs = await milliseconds(() => build(world, beforeLastWeek));
await world.admit(LAST);
note('seven days more');
const rolledMs = await milliseconds(() => build(world, DAYS));
note('one pass of the same SQL');
const onePassMs = await milliseconds(() => onePass(world));
figures.push(
  figure(
    `features of ${DAYS.length} partitions`,
    's',
    (featureMs + rolledMs) / 1000,
    ['one pass of the same SQL over everything', onePassMs / 1000],
    { ratioAtMost: 1.3 },
  ),
  figure(
    'window rolled forward by 7 of 181 days',
    's',
    rolledMs / 1000,
    ['7 days of the first building', ((featureMs / beforeLastWeek.length) * 7) / 1000],
    { ratioAtMost: 1.3 },
  ),
);

note('training a model on two weeks');
const names = await build(world, DAYS.slice(100, 114));
const onnx = await trainOn(
  world,
  names.map((digest) => world.lake.objects.get(`${definition.name}/features/${digest}`)?.content ?? new Uint8Array()),
);

note('scoring');
const scored = await build(world, DAYS.slice(-60));
const files: string[] = [];
for (const [index, digest] of scored.entries()) {
  const file = join(folder, `features-${index}.parquet`);
  await writeFile(file, world.lake.objects.get(`${definition.name}/features/${digest}`)?.content ?? new Uint8Array());
  files.push(file);
}
figures.push(...(await scoringFigures(files)));

note('recomputing a part');
const [good, bad] = [await world.release(onnx, 'good'), await world.release(onnx, 'bad')];
await world.serve(good);
const first = await reconcile('first');
await world.serve(bad);
const second = await reconcile('second');
// The rollback finds the second release's predictions of ten days, as if it had been stopped early.
await world.serve(good);
await reconcile('back');
await world.serve(bad);
await reconcile('ten', 10);
await world.serve(good);
const lost = await reconcile('repair');
const fullMs = (first.milliseconds + second.milliseconds) / 2;
figures.push(
  figure(
    `recompute of ${lost.partitions} of ${first.partitions} partitions`,
    's',
    lost.milliseconds / 1000,
    [`a full one of ${first.partitions}`, fullMs / 1000],
    { oursAtMost: (1.2 * lost.partitions * fullMs) / first.partitions / 1000 + 2 },
  ),
);
note('planning a thousand partitions');
figures.push(await planningFigure());
figures.push(...codeFigures(['features', 'score']), await warmFigure(onnx, files.slice(0, 24), definition));
await rm(folder, { recursive: true, force: true });
report(
  'batch',
  {
    title: 'Batch inference',
    about:
      'Three million flights in 181 partitions, through the use-cases that the functions run, with S3 and DynamoDB in memory; one thread. The anchors use the same engines plainly, in the same process.',
    versions: { engine: engineVersion, scorer: 'onnxruntime-node 1.30.0' },
  },
  figures,
);

/** Runs a reconciliation's states in turn; `only` publishes the first so many partitions, as a run that was cut short. */
async function reconcile(run: string, only?: number): Promise<{ partitions: number; milliseconds: number }> {
  let partitions = 0;
  const took = await milliseconds(async () => {
    const planned = Planned.parse(await planReconciliation(world.planning)({ model: definition.name, run }));
    partitions = planned.partitions;
    await each(buildDailyPartition(world), planned.dailyBatches);
    await each(buildFeaturePartition(world), planned.featureBatches);
    // What was scored once is kept by name; the bench wants the work to be done.
    forgetPredictions();
    const batches =
      only === undefined
        ? planned.scoreBatches
        : planned.scoreBatches
            .slice(0, 1)
            .map((batch) => z.looseObject({ to: z.int() }).parse(batch))
            .map((batch) => ({ ...batch, to: only }));
    await each(scorePartitions(world), batches);
    await publishPredictions(world)({ model: definition.name, plan: planned.plan });
  });
  return { partitions, milliseconds: took };
}

function forgetPredictions(): void {
  for (const key of world.lake.objects.keys()) if (key.includes('/predictions/')) world.lake.objects.delete(key);
}

/** The plan of a batch run after a rollback whose bad release had written a thousand days: all of them are to be made again. */
async function planningFigure(): Promise<Figure> {
  const wide = await flights(1);
  const days = daysBetween('1998-04-01', addDays('1998-04-01', 1027));
  const object = { bucket: 'landing', key: 'k', versionId: '1', sha256: digestOf('rows'), size: 400_000 };
  const put = (item: Item): Promise<unknown> =>
    wide.ledger.transact([{ kind: 'put', item }], digestOf(`${item.pk} ${item.sk}`).slice(7, 43));
  for (const day of days) {
    for (const kind of ['events', 'labels'] as const) {
      const about = {
        formatVersion: 1 as const,
        model: definition.name,
        kind,
        day,
        version: 1,
        admittedAt: new Date().toISOString(),
      };
      await put(
        partitionItem(keys.partition(definition.name, kind, day), {
          ...about,
          digest: digestOf(`${kind} ${day}`),
          objects: [object],
        }),
      );
    }
  }
  const bad = await wide.release(onnx, 'bad');
  const digest = digestOf('old');
  for (const day of days.slice(-1000))
    await put({
      ...keys.prediction(definition.name, day),
      formatVersion: 1,
      model: definition.name,
      day,
      features: digest,
      release: bad,
      scorer: digest,
      schema: digest,
      object,
      rows: 17_000,
      lineage: null,
      run: 'bad',
      epoch: 1,
      publishedAt: new Date().toISOString(),
    });
  await wide.serve(await wide.release(onnx, 'good'));
  let partitions = 0;
  const times: number[] = [];
  for (let round = 0; round < 5; round += 1) {
    times.push(
      await milliseconds(async () => {
        ({ partitions } = Planned.parse(
          await planReconciliation(wide.planning)({ model: definition.name, run: `plan-${round}` }),
        ));
      }),
    );
  }
  return figure(`plan of ${partitions} partitions`, 's', quantile(times, 0.5) / 1000, ['no anchor', null], {
    oursAtMost: 1,
  });
}

/** Scoring from Parquet to Parquet, by part, beside plain onnxruntime on the same rows. */
async function scoringFigures(features: readonly string[]): Promise<Figure[]> {
  const inspected = inspectOnnx(onnx, definition.features.columns.length);
  if (inspected.kind === 'refused') throw new Error(inspected.refusal.found);
  const { input, probabilities } = inspected.inspection;
  const created = await createScorer(onnx, definition.features.columns);
  if (created.kind === 'refused') throw new Error(created.refusal.found);
  const session = await InferenceSession.create(onnx, { intraOpNumThreads: 1, interOpNumThreads: 1 });
  const width = definition.features.columns.length;
  const times = { whole: 0, reading: 0, ours: 0, plain: 0 };
  let rows = 0;
  for (let round = 0; round < 2; round += 1) {
    if (round === 1) Object.assign(times, { whole: 0, reading: 0, ours: 0, plain: 0 });
    rows = 0;
    const result = await world.scoring.withModel(onnx, definition, async (model) => {
      for (const file of features)
        times.whole += await milliseconds(() => model.score({ features: file, out: join(folder, 'out.parquet') }));
    });
    if (result.kind === 'refused') throw new Error(result.refusal.found);
    await withDatabase('1GB', async (connection) => {
      for (const file of features) {
        let read: Awaited<ReturnType<typeof readFeatures>> | undefined;
        times.reading += await milliseconds(async () => {
          read = await readFeatures(connection, file, definition);
        });
        if (read === undefined || 'rule' in read) throw new Error('features cannot be read');
        const { values, count } = read;
        rows += count;
        times.ours += await milliseconds(() => created.scorer.score(values, count));
        times.plain += await milliseconds(() =>
          session.run({ [input]: new Tensor('float32', values, [count, width]) }, [probabilities]),
        );
      }
    });
  }
  await created.scorer.close();
  await session.release();
  const perSecond = (took: number): number => (rows / took) * 1000;
  await writeFile(join(folder, 'model.onnx'), onnx);
  const script = execFileSync(
    join(import.meta.dirname, '../.venv/bin/python'),
    [
      join(import.meta.dirname, '_score_script.py'),
      join(folder, 'model.onnx'),
      folder,
      join(folder, 'out-script.parquet'),
      definition.events.id,
      definition.features.columns.join(),
    ],
    { encoding: 'utf8' },
  );
  const asScript = ['a script of pyarrow and onnxruntime', rows / Number(script)] as const;
  const plain = ['plain onnxruntime on the same rows', perSecond(times.plain)] as const;
  const share = (part: number): number => (100 * part) / times.whole;
  const none = ['its share of the whole', null] as const;
  return [
    figure('scoring itself', 'rows/s', perSecond(times.ours), plain, { ratioAtLeast: 0.8 }),
    figure('Score partition, Parquet to Parquet', 'rows/s', perSecond(times.whole), asScript, { ratioAtLeast: 1 }),
    figure('  of which reading features', '%', share(times.reading), none, {}),
    figure('  of which scoring', '%', share(times.ours), none, {}),
    figure('  of which writing and hashing', '%', 100 - share(times.reading) - share(times.ours), none, {}),
  ];
}
