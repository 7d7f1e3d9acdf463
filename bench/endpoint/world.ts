// A model of the flights as an endpoint finds it: two releases, the aggregates of four weeks, and requests of the day after them.
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { readEvents } from '#adapters/duckdb/event-rows.ts';
import { buildDaily, buildFeatures } from '#adapters/duckdb/featurizer.ts';
import { folderArtifactStore } from '#adapters/folder/artifact-store.ts';
import { folderLake } from '#adapters/folder/lake.ts';
import { type Digest, digestOf } from '#domain/canonical/digest.ts';
import { aggregateBasis } from '#domain/data/feature-plan.ts';
import { addDays, daysBetween } from '#domain/data/partition.ts';
import { contextOf } from '#domain/data/request-context.ts';
import type { ModelDefinition } from '#domain/model/definition.ts';
import { AggregatesList } from '#domain/prediction/aggregates.ts';
import { compileModel } from '#model/compile.ts';
import type { DayFile } from '#ports/feature-engine.ts';
import { writeDocument } from '#ports/documents.ts';
import type { EventRow } from '#ports/online-features.ts';
import { type Flights, flights } from '../_flights.ts';
import { trainOn } from '../_training.ts';
import type { Served } from './host.ts';

/** The day that is asked about. */
export const DAY = '2001-04-18';
/** What the quickstart lands. */
const SAMPLE = 0.1;
/** How many days each model is trained on. */
const TRAINED_ON = 7;

/** What one request asks. */
export interface Asked {
  readonly events: readonly EventRow[];
  readonly context: readonly EventRow[];
}

/** Requests of the day, and what the features of them are made of. */
export interface EndpointWorld {
  readonly definition: ModelDefinition;
  readonly sql: { readonly daily: string; readonly features: string };
  readonly daily: readonly DayFile[];
  /** The bytes of the first release's model. */
  readonly onnx: Uint8Array;
  /** What a process that serves is given; the first release is the champion, and the second what a rollback would serve. */
  readonly served: Served;
  /** One flight with its context. */
  readonly one: readonly Asked[];
  /** A hundred flights with their context. */
  readonly hundred: readonly Asked[];
  /** One flight with all of its day. */
  readonly whole: readonly Asked[];
}

/** Builds aggregates, trains two models and keeps both as releases in a folder. */
export async function endpointWorld(folder: string, requests: number): Promise<EndpointWorld> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(join(folder, 'daily'), { recursive: true });
  const { online } = await compileModel(join(import.meta.dirname, '../../models/flight-delay'));
  if (online === undefined) throw new Error('the flights are asked online');
  // A pointer that is read once a second switches twenty times in less than a minute.
  const world = await flights(SAMPLE, { online: { ...online, pointerMaxAgeSeconds: 1 } });
  const { definition } = world;
  const { aggregateDays } = definition.features;
  const trained = daysBetween(addDays(DAY, -2 * TRAINED_ON), addDays(DAY, -1));
  const days = daysBetween(addDays(trained[0] ?? DAY, -aggregateDays), addDays(DAY, -1));
  const files = await dailyFiles(world, join(folder, 'daily'), days);
  const features = await featureFiles(world, files, trained, folder);
  const models = [
    await trainOn(world, features.slice(0, TRAINED_ON)),
    await trainOn(world, features.slice(TRAINED_ON)),
  ];
  const releases: Digest[] = [];
  for (const [index, onnx] of models.entries()) releases.push(await world.release(onnx, `model ${index}`));
  const artifacts = folderArtifactStore(join(folder, 'artifacts'));
  for (const content of world.releases.objects.values()) await artifacts.write(content);
  const daily = files.filter(({ day }) => day >= addDays(DAY, -aggregateDays));
  const lake = folderLake(join(folder, 'lake'));
  const listed: { day: string; digest: Digest }[] = [];
  for (const { day, file } of daily) {
    const sha256 = digestOf(await readFile(file));
    await lake.store('daily', definition.name, sha256, { path: file, sha256, rows: 0 });
    listed.push({ day, digest: sha256 });
  }
  const list = await writeDocument(artifacts, AggregatesList, {
    formatVersion: 1,
    model: definition.name,
    basis: aggregateBasis(definition),
    historyFrom: daily[0]?.day ?? DAY,
    days: listed,
  });
  const asked = await requestsOf(world, requests);
  const served = { folder, definition, releases, list, until: addDays(DAY, -1) };
  return { definition, sql: world.sql, daily, onnx: models[0] ?? new Uint8Array(), served, ...asked };
}

async function dailyFiles(world: Flights, folder: string, days: readonly string[]): Promise<readonly DayFile[]> {
  const { definition, sql } = world;
  const files = days.map((day) => ({ day, file: join(folder, `${day}.parquet`) }));
  const built = await buildDaily({
    sql: sql.daily,
    definition,
    items: files.map(({ day, file }) => ({
      day,
      events: landed(world, 'events', addDays(day, -definition.features.eventDays), day),
      labels: landed(world, 'labels', day, day),
      out: file,
    })),
  });
  for (const result of built) if (result.kind === 'refused') throw new Error(result.refusal.found);
  return files;
}

async function featureFiles(
  world: Flights,
  daily: readonly DayFile[],
  days: readonly string[],
  folder: string,
): Promise<readonly Uint8Array[]> {
  const { definition, sql } = world;
  const { aggregateDays, eventDays } = definition.features;
  const items = days.map((day) => ({
    day,
    events: landed(world, 'events', addDays(day, -eventDays), day),
    daily: daily.filter((each) => each.day >= addDays(day, -aggregateDays) && each.day < day),
    out: join(folder, `features-${day}.parquet`),
  }));
  for (const result of await buildFeatures({ sql, definition, items }))
    if (result.kind === 'refused') throw new Error(result.refusal.found);
  return Promise.all(items.map(({ out }) => readFile(out)));
}

function landed(world: Flights, kind: 'events' | 'labels', first: string, last: string): readonly DayFile[] {
  return world.landed.filter((each) => each.kind === kind && each.day >= first && each.day <= last);
}

async function requestsOf(world: Flights, count: number): Promise<Pick<EndpointWorld, 'one' | 'hundred' | 'whole'>> {
  const { definition } = world;
  const read = await readEvents(definition, landed(world, 'events', addDays(DAY, -1), DAY));
  if (read.kind === 'refused') throw new Error(read.refusal.found);
  const own = read.events.filter(({ row }) => String(row[definition.events.time]).startsWith(DAY));
  const evenly = own.filter((_, index) => index % Math.floor(own.length / count) === 0);
  const one = evenly.map((event) => ({ events: [event.row], context: contextOf(definition, event, read.events) }));
  const hundred = Array.from({ length: 40 }, (_, index) => {
    const events = own.slice(index * 35, index * 35 + 100);
    const context = new Set(events.flatMap((event) => contextOf(definition, event, read.events)));
    // An event of the request is not of its own context.
    for (const { row } of events) context.delete(row);
    return { events: events.map(({ row }) => row), context: [...context] };
  });
  const wholeOf = ({ row }: (typeof own)[number]): Asked => ({
    events: [row],
    context: own.flatMap((other) => (other.row === row ? [] : [other.row])),
  });
  return { one, hundred, whole: evenly.slice(0, 60).map(wholeOf) };
}
