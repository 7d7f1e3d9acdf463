import { readEvents } from '#adapters/duckdb/event-rows.ts';
import { name, rowsOf, withDatabase } from '#adapters/duckdb/database.ts';
import { source } from '#adapters/duckdb/inputs.ts';
import { keyedEvents } from '#adapters/duckdb/request-rows.ts';
import { FEATURE_ENGINE } from '#domain/data/engines.ts';
import { featurePlanner } from '#domain/data/feature-plan.ts';
import { contextOf } from '#domain/data/request-context.ts';
import type { ModelDefinition } from '#domain/model/definition.ts';
import type { PredictionManifest } from '#domain/prediction/manifest.ts';
import { type Cause, causeOf, type MadeFrom } from '#domain/prediction/replayed.ts';
import type { Lake } from '#ports/lake.ts';
import type { EventRow } from '#ports/online-features.ts';
import { readCatalogue } from '#read-model/partitions.ts';
import { findPrediction } from '#read-model/predictions.ts';
import type { ReplayedRequest } from '#serving/replay.ts';
import type { Cloud } from '../../../cloud.ts';
import { RefusedError } from '../../../refusal.ts';

/** The published predictions of a day. */
export interface BatchOfDay {
  readonly manifest: PredictionManifest;
  /** By the id of their event, as text. */
  readonly predictions: ReadonlyMap<string, number>;
}

/** Reads a day's published predictions; undefined where there are none. */
export async function readBatch(
  cloud: Cloud,
  lake: Lake,
  model: string,
  day: string,
  folder: string,
): Promise<BatchOfDay | undefined> {
  const manifest = await findPrediction(cloud.ledger, model, day);
  if (manifest === undefined) return undefined;
  const file = await lake.fetchSource(manifest.object, folder);
  const rows = await withDatabase('1GB', (connection) =>
    rowsOf(connection, `SELECT ${name('row_id')} AS id, prediction FROM ${source(file)}`),
  );
  return { manifest, predictions: new Map(rows.map(({ id, prediction }) => [String(id), Number(prediction)])) };
}

/**
 * Says why an answer differs from the batch's, by what the two were made from. The events of the day are read once, when the first
 * answer differs.
 */
export function causesOf(
  cloud: Cloud,
  lake: Lake,
  { manifest }: BatchOfDay,
  folder: string,
): (replayed: ReplayedRequest, index: number) => Promise<Cause> {
  const { model, day } = manifest;
  let sides: Promise<((id: string) => MadeFrom | undefined) | undefined> | undefined;
  const readSides = async (definition: ModelDefinition) => {
    const plan = featurePlanner(definition, FEATURE_ENGINE, await readCatalogue(cloud.ledger, model))(day);
    // Another plan: its data were replaced since, and what it was made from is not known any more.
    if (!plan.ready || plan.digest !== manifest.features) return undefined;
    const copies = plan.events.flatMap(({ day, objects }) =>
      objects.map(async (object) => ({ day, file: await lake.fetchSource(object, folder) })),
    );
    const read = await readEvents(definition, await Promise.all(copies));
    if (read.kind === 'refused') throw new RefusedError(read.refusal);
    const events = keyed(
      definition,
      read.events.map(({ row }) => row),
    );
    const aggregates = plan.daily.map((each) => ({ day: each.day, digest: each.digest }));
    return (id: string): MadeFrom | undefined => {
      const own = events.all.find(({ row }) => String(row[definition.events.id]) === id);
      return own && { release: manifest.release, ...fromRows(definition, own, events), aggregates };
    };
  };
  return async ({ request, made, outcome }, index) => {
    if (request.release !== manifest.release) return 'other-release';
    if (made === undefined) return outcome.kind === 'not-kept' ? 'not-kept' : 'unexplained';
    const { definition, events, context, aggregates } = made;
    sides ??= readSides(definition);
    const all = keyed(definition, [...events, ...context]);
    const own = all.all[index];
    if (own === undefined) return 'unexplained';
    const answer = { release: request.release, ...fromRows(definition, own, all), aggregates };
    const batch = (await sides)?.(String(own.row[definition.events.id]));
    return causeOf(answer, manifest.release, batch);
  };
}

type Keyed = ReturnType<typeof keyedEvents>[number];

function keyed(definition: ModelDefinition, rows: readonly EventRow[]) {
  const all = keyedEvents(definition, rows);
  return { all, keyOf: new Map(all.map(({ row, key }) => [row, key])) };
}

/** The event and the declared context of it, among all that was there. */
function fromRows(
  definition: ModelDefinition,
  own: Keyed,
  { all, keyOf }: ReturnType<typeof keyed>,
): Pick<MadeFrom, 'event' | 'context'> {
  return { event: own.key, context: contextOf(definition, own, all).map((row) => keyOf.get(row) ?? '') };
}
