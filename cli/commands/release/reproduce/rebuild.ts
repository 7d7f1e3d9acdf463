import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readEvents } from '#adapters/duckdb/event-rows.ts';
import { onlineFeatures } from '#adapters/duckdb/online.ts';
import { exportTrainingRows } from '#adapters/duckdb/training-rows.ts';
import { onnxScoring } from '#adapters/onnx/scoring.ts';
import { canonicalJson, type Digest, digestOf } from '#domain/canonical/digest.ts';
import { FEATURE_ENGINE } from '#domain/data/engines.ts';
import { type CataloguePartition, featurePlanner } from '#domain/data/feature-plan.ts';
import { datasetFingerprint } from '#domain/data/merkle.ts';
import { addDays, daysBetween } from '#domain/data/partition.ts';
import type { ModelDefinition } from '#domain/model/definition.ts';
import { type ReleaseManifest, schemaOf, sealManifest } from '#domain/release/manifest.ts';
import { makeGoldenRequest } from '#read-model/golden-request.ts';
import { RefusedError, refuse } from '../../../refusal.ts';
import { runTraining } from '#local/pipeline/training.ts';
import { type BuiltDay, buildLocally, filesOf } from '../../model/local-features.ts';

/** What was made again, beside what the manifest says. */
export interface Rebuilt {
  readonly release: Digest;
  readonly parts: readonly { readonly part: string; readonly manifest: string; readonly rebuilt: string }[];
  /** The contents of the files that were made, for who wants to see where they differ. */
  readonly contents: ReadonlyMap<string, Uint8Array>;
}

/** Builds features, rows, model and golden predictions again in a folder, from partitions, SQL and program that are there. */
export async function rebuild(
  manifest: ReleaseManifest,
  definition: ModelDefinition,
  catalogue: readonly CataloguePartition[],
  folder: string,
  note: (line: string) => void,
): Promise<Rebuilt> {
  const { window, labelsUntil } = manifest.data;
  const days = daysBetween(window.from, window.to);
  const planOf = featurePlanner(definition, FEATURE_ENGINE, catalogue);
  const features = days.map((day) => {
    const plan = planOf(day);
    if (!plan.ready)
      return refuse('partitions-there', `features of ${day} lack ${plan.missing.length} partitions`, '-');
    return { day, digest: plan.digest };
  });
  const built = await buildLocally(definition, folder, catalogue, days, join(folder, 'built'), (day, done) => {
    if (done % 10 === 0 || done === days.length) note(`  features ${done} of ${days.length} (${day})`);
  });
  const channel = join(folder, 'rows');
  const labels = catalogue.filter(({ kind, day }) => kind === 'labels' && day >= window.from && day <= labelsUntil);
  const rows = await exportTrainingRows({
    features: built,
    labels: filesOf(labels),
    definition,
    out: channel,
  });
  if (rows.kind === 'refused') throw new RefusedError(rows.refusal);
  note(`  ${rows.rows} rows, ${rows.positives} positive`);
  const onnx =
    manifest.kind === 'baseline'
      ? onnxScoring.constantModel(rows.positives / rows.rows, definition.features.columns)
      : await trained(definition, folder, channel, note);
  const newest = built.findLast((each) => each.rows > 0);
  if (newest === undefined) return refuse('partitions-there', 'no day of the window has a row of features', '-');
  const schema = schemaOf(definition);
  const sql = {
    daily: await readFile(join(folder, definition.features.daily.path)),
    features: await readFile(join(folder, definition.features.features.path)),
  };
  const contents = new Map<string, Uint8Array>([
    ['definition.json', Buffer.from(canonicalJson(definition))],
    ['features/daily.sql', sql.daily],
    ['features/features.sql', sql.features],
    ['golden.json', Buffer.from(await onnxScoring.makeGolden(onnx, definition, newest.file))],
    ['model.onnx', onnx],
    ['schema.json', Buffer.from(canonicalJson(schema))],
  ]);
  const text = { daily: sql.daily.toString(), features: sql.features.toString() };
  for (const { path, content } of await goldenRequestOf(definition, text, onnx, newest, catalogue))
    contents.set(path, content);
  const files = [...contents].map(([path, content]) => ({ path, sha256: digestOf(content), size: content.length }));
  const fingerprint = datasetFingerprint(features);
  const again = { ...manifest, files, data: { ...manifest.data, fingerprint, partitions: features.length } };
  return {
    release: sealManifest(again).release,
    parts: [
      { part: 'data fingerprint', manifest: manifest.data.fingerprint, rebuilt: fingerprint },
      ...files.map(({ path, sha256 }) => ({
        part: path,
        manifest: manifest.files.find((file) => file.path === path)?.sha256 ?? '-',
        rebuilt: sha256,
      })),
    ],
    contents,
  };
}

/** The files of the golden request, where the model is online. */
async function goldenRequestOf(
  definition: ModelDefinition,
  sql: { readonly daily: string; readonly features: string },
  onnx: Uint8Array,
  { day, daily }: BuiltDay,
  catalogue: readonly CataloguePartition[],
): Promise<readonly { readonly path: string; readonly content: Uint8Array }[]> {
  if (definition.online === undefined) return [];
  const first = addDays(day, -definition.features.eventDays);
  const seen = catalogue.filter((each) => each.kind === 'events' && each.day >= first && each.day <= day);
  const read = await readEvents(definition, filesOf(seen));
  if (read.kind === 'refused') throw new RefusedError(read.refusal);
  const opened = await onnxScoring.open(onnx, definition);
  if (opened.kind === 'refused') throw new RefusedError(opened.refusal);
  try {
    const release = { definition, sql, model: opened.model, online: onlineFeatures };
    const made = await makeGoldenRequest(release, day, read.events, daily);
    if (made.kind === 'refused') throw new RefusedError(made.refusal);
    return made.files;
  } finally {
    await opened.model.close();
  }
}

async function trained(
  definition: ModelDefinition,
  folder: string,
  channel: string,
  note: (line: string) => void,
): Promise<Uint8Array> {
  const { failure, model } = await runTraining(definition, folder, channel, join(folder, 'container'), (line) =>
    note(`  | ${line}`),
  );
  if (failure !== undefined) return refuse('training-succeeds', failure, 'look at what it printed above');
  return readFile(model);
}
