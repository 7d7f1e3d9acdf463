// Releases: training by the model's own program, and scoring by the product's scorer. Both are kept by what they depend on.
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { runTraining } from '#local/pipeline/training.ts';
import { literal, name, PARQUET, withDatabase } from '#adapters/duckdb/database.ts';
import { source } from '#adapters/duckdb/inputs.ts';
import { exportTrainingRows } from '#adapters/duckdb/training-rows.ts';
import { onnxScoring } from '#adapters/onnx/scoring.ts';
import { Digest, digestOf, digestOfJson } from '#domain/canonical/digest.ts';
import { SCORER } from '#domain/data/engines.ts';
import { predictionDigest } from '#domain/data/feature-work.ts';
import type { DayFile } from '#ports/feature-engine.ts';
import { type Fault } from './faults.ts';
import type { DayFeatures, HalfYearLake } from './lake.ts';

/** What a training run left. */
export interface TrainedModel {
  /** Of the ONNX bytes. */
  readonly digest: Digest;
  readonly file: string;
  readonly rows: number;
  readonly positives: number;
}

/** A model as it is served: faults of serving belong to the release that has them. */
export interface HalfYearRelease {
  /** Names the release with its faults. */
  readonly id: Digest;
  /** For people: the week and the window. */
  readonly title: string;
  readonly week: number;
  readonly model: TrainedModel;
  readonly fault?: Fault;
}

const Known = z.object({ digest: Digest, rows: z.int(), positives: z.int() });
const ROOT = join(import.meta.dirname, '../..');

/** Trains on feature files and the labels that had arrived; the same inputs and program train once. */
export async function train(
  { definition, folder }: HalfYearLake,
  features: readonly DayFeatures[],
  labels: readonly DayFile[],
  labelDigests: readonly Digest[],
): Promise<TrainedModel> {
  const key = digestOfJson({
    training: definition.training,
    columns: definition.features.columns,
    features: features.map(({ digest }) => digest),
    labels: labelDigests,
  });
  const home = join(folder, 'models', hex(key));
  const file = join(home, 'model.onnx');
  const known = join(home, 'model.json');
  if (existsSync(known)) return { file, ...Known.parse(JSON.parse(readFileSync(known, 'utf8'))) };
  const channel = join(home, 'rows');
  rmSync(home, { recursive: true, force: true });
  const exported = await exportTrainingRows({ features, labels, definition, out: channel, memory: '6GB' });
  if (exported.kind === 'refused') throw new Error(exported.refusal.found);
  const container = join(home, 'container');
  // As many models are trained at once as there are cores: each on one.
  const program = join(ROOT, 'models', definition.name);
  const trained = await runTraining(definition, program, channel, container, () => {}, 1);
  if (trained.failure !== undefined) throw new Error(trained.failure);
  const bytes = readFileSync(trained.model);
  rmSync(channel, { recursive: true });
  rmSync(container, { recursive: true });
  const { rows, positives } = exported;
  return keepModel(home, bytes, { rows, positives });
}

/** The model that gives every row the base rate of another one's training rows. */
export function constantOf({ definition, folder }: HalfYearLake, { rows, positives }: TrainedModel): TrainedModel {
  const bytes = onnxScoring.constantModel(positives / rows, definition.features.columns);
  const home = join(folder, 'models', hex(digestOf(bytes)));
  mkdirSync(home, { recursive: true });
  return keepModel(home, bytes, { rows, positives });
}

function keepModel(home: string, bytes: Uint8Array, counts: Pick<TrainedModel, 'rows' | 'positives'>): TrainedModel {
  const digest = digestOf(bytes);
  const file = join(home, 'model.onnx');
  writeFileSync(file, bytes);
  writeFileSync(join(home, 'model.json'), JSON.stringify({ digest, ...counts }));
  return { digest, file, ...counts };
}

/** A release of a model, and of the fault that it has. */
export function releaseOf(model: TrainedModel, week: number, title: string, fault?: Fault): HalfYearRelease {
  const faulty = fault?.served === undefined && fault?.says === undefined ? undefined : fault;
  const id = faulty === undefined ? model.digest : digestOfJson({ model: model.digest, fault: { ...faulty } });
  return { id, title, week, model, ...(faulty === undefined ? {} : { fault: faulty }) };
}

/** The same days with some features replaced by expressions; `labels` say what is late. */
export async function withColumns(
  lake: HalfYearLake,
  features: readonly DayFeatures[],
  columns: Readonly<Record<string, string>>,
  labels: readonly DayFile[] = [],
): Promise<DayFeatures[]> {
  const changed = features.map(({ day, digest }) => {
    const own = digestOfJson({ digest, columns: { ...columns } });
    return { day, digest: own, file: join(lake.folder, 'features', `${hex(own)}.parquet`) };
  });
  const missing = changed.flatMap((each, index) => {
    const from = features[index];
    return from === undefined || existsSync(each.file) ? [] : [{ from: from.file, to: each.file }];
  });
  if (missing.length === 0) return changed;
  const { events, labels: of } = lake.definition;
  const replaced = Object.entries(columns).map(([column, sql]) => `CAST(${sql} AS FLOAT) AS ${name(column)}`);
  await withDatabase('4GB', async (connection) => {
    const told = labels.map(
      ({ file }) => `SELECT ${name(of.join)} AS id, ${name(of.value)} AS late FROM ${source(file)}`,
    );
    await connection.run(
      `CREATE TABLE told AS ${told.length === 0 ? "SELECT '' AS id, false AS late LIMIT 0" : told.join(' UNION ALL ')}`,
    );
    for (const { from, to } of missing) {
      await connection.run(
        `COPY (SELECT features.* EXCLUDE (time, id_hash) REPLACE (${replaced.join(', ')})
               FROM (SELECT *, ${name(events.time)} AS time, md5(${name(events.id)}) AS id_hash FROM ${source(from)}) features
               LEFT JOIN told ON told.id = ${name(events.id)} ORDER BY ${name(events.id)})
         TO ${literal(`${to}.partial`)} (${PARQUET})`,
      );
      renameSync(`${to}.partial`, to);
    }
  });
  return changed;
}

/** Files of what a release says of days, in their order; what is served may be other than what was asked. */
export async function score(
  lake: HalfYearLake,
  release: HalfYearRelease,
  features: readonly DayFeatures[],
  where: 'held out' | 'served',
): Promise<string[]> {
  const { fault, model } = release;
  const asked =
    where === 'served' && fault?.served !== undefined ? await withColumns(lake, features, fault.served) : features;
  const wanted = asked.map(({ digest }, index) => ({
    of: asked[index] ?? { day: '', file: '', digest },
    out: join(lake.folder, 'predictions', `${hex(predictionDigest(digest, release.id, SCORER))}.parquet`),
  }));
  const missing = wanted.filter(({ out }) => !existsSync(out));
  if (missing.length > 0) {
    mkdirSync(join(lake.folder, 'predictions'), { recursive: true });
    const done = await onnxScoring.withModel(readFileSync(model.file), lake.definition, async (loaded) => {
      for (const { of, out } of missing) {
        const scored = await loaded.score({ features: of.file, out: `${out}.partial` });
        if (scored.kind === 'refused') throw new Error(scored.refusal.found);
        if (fault?.says !== undefined) await say(lake, of.file, `${out}.partial`, fault.says);
        renameSync(`${out}.partial`, out);
      }
    });
    if (done.kind === 'refused') throw new Error(done.refusal.found);
  }
  return wanted.map(({ out }) => out);
}

/** Puts an expression in the place of the predictions of a file. */
async function say({ definition }: HalfYearLake, features: string, file: string, sql: string): Promise<void> {
  const { id, entity } = definition.events;
  await withDatabase('1GB', async (connection) => {
    await connection.run(
      `CREATE TABLE said AS SELECT row_id, CAST(${sql} AS DOUBLE) AS prediction
       FROM (SELECT row_id, prediction AS p, ${name(entity)} AS entity
             FROM ${source(file)} JOIN ${source(features)} ON row_id = ${name(id)})`,
    );
    await connection.run(`COPY (FROM said ORDER BY row_id) TO ${literal(file)} (${PARQUET})`);
  });
}

function hex(digest: Digest): string {
  return digest.slice('sha256:'.length);
}
