import { mkdir, mkdtemp, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { literal, withDatabase } from '#adapters/duckdb/database.ts';
import { readEvents, readFeatures } from '#adapters/duckdb/event-rows.ts';
import { buildDaily, buildFeatures } from '#adapters/duckdb/featurizer.ts';
import { addDays, daysBetween } from '#domain/data/partition.ts';
import { contextOf } from '#domain/data/request-context.ts';
import type { ModelDefinition } from '#domain/model/definition.ts';
import { compileModel } from '#model/compile.ts';
import type { DayFile } from '#ports/feature-engine.ts';
import type { EventRow, ReadEvent } from '#ports/online-features.ts';
import { loadZones } from '../../models/flight-delay/replay.ts';
import { replay as cards } from './card-fraud/replay.ts';

const ROOT = join(import.meta.dirname, '../..');

/** A day of a model as batch has it, and what answers requests of that day. */
export interface ModelDay {
  readonly definition: ModelDefinition;
  readonly sql: { readonly daily: string; readonly features: string };
  readonly day: string;
  readonly daily: readonly DayFile[];
  /** The events of the day and of the day before it. */
  readonly read: readonly ReadEvent[];
  /** The events of the day, in the order of their file. */
  readonly own: readonly ReadEvent[];
  /** What batch says, by id. */
  readonly batch: ReadonlyMap<string, readonly (number | null)[]>;
  /** The declared context of an event, out of the whole day and the day before it. */
  contextOf(event: ReadEvent): EventRow[];
}

type Partition = DayFile & { readonly kind: 'events' | 'labels' };

/** Builds a day with the aggregates of the days before it, by the batch engine. */
export async function modelDay(
  home: string,
  day: string,
  partitions: readonly Partition[],
  online?: ModelDefinition['online'],
): Promise<ModelDay> {
  const compiled = await compileModel(join(ROOT, home));
  const definition = online === undefined ? compiled : { ...compiled, online };
  const { aggregateDays, eventDays } = definition.features;
  const text = (name: string): Promise<string> => readFile(join(ROOT, home, 'features', name), 'utf8');
  const sql = { daily: await text('daily.sql'), features: await text('features.sql') };
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-online-'));
  const of = (kind: Partition['kind'], first: string, last: string): DayFile[] =>
    partitions.filter((each) => each.kind === kind && each.day >= first && each.day <= last);
  const [oldest = day] = of('events', '0', day).map((each) => each.day);
  const days = daysBetween(addDays(day, -aggregateDays), addDays(day, -1)).filter((each) => each >= oldest);
  const daily = days.map((each) => ({ day: each, file: join(folder, `daily-${each}.parquet`) }));
  const out = join(folder, 'features.parquet');
  const results = [
    ...(await buildDaily({
      sql: sql.daily,
      definition,
      items: daily.map(({ day: each, file }) => ({
        day: each,
        events: of('events', addDays(each, -eventDays), each),
        labels: of('labels', each, each),
        out: file,
      })),
    })),
    ...(await buildFeatures({
      sql,
      definition,
      items: [{ day, events: of('events', addDays(day, -eventDays), day), daily, out }],
    })),
  ];
  for (const result of results) if (result.kind === 'refused') throw new Error(result.refusal.found);
  const read = await readEvents(definition, of('events', addDays(day, -1), day));
  if (read.kind === 'refused') throw new Error(read.refusal.found);
  const { time } = definition.events;
  return {
    definition,
    sql,
    day,
    daily,
    read: read.events,
    own: read.events.filter(({ row }) => String(row[time]).startsWith(day)),
    batch: await readFeatures(definition, out),
    contextOf: (event) => contextOf(definition, event, read.events),
  };
}

/** A day of the flights: each third flight of seventeen days, on the last of which the clocks go forward. */
export async function flightDay(): Promise<ModelDay> {
  const day = '2001-04-01';
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-flights-'));
  const data = join(dirname(createRequire(import.meta.url).resolve('vega-datasets')), '../data');
  const replaySql = await readFile(join(ROOT, 'models/flight-delay/replay.sql'), 'utf8');
  const partitions: Partition[] = [];
  await withDatabase('2GB', async (connection) => {
    await loadZones(connection, join(data, 'airports.csv'));
    const some = join(folder, 'flights.parquet');
    await connection.run(
      `COPY (SELECT * FROM read_parquet(${literal(join(data, 'flights-3m.parquet'))}) WHERE date BETWEEN '2001-03-15' AND '2001-04-03') TO ${literal(some)} (FORMAT parquet)`,
    );
    await connection.run(`SET VARIABLE flights = ${literal(some)}`);
    await connection.run('SET VARIABLE sample = 0.34');
    await connection.run(`CREATE TABLE flights AS ${replaySql} ORDER BY departed_at, flight_id`);
    for (const each of daysBetween('2001-03-16', day))
      for (const [kind, time, columns] of [
        [
          'events',
          'departed_at',
          'flight_id, departed_at, departed_local, destination_local, origin, destination, distance',
        ],
        ['labels', 'arrived_at', 'flight_id, late, arrived_at'],
      ] as const) {
        const file = join(folder, kind, `${each}.parquet`);
        await mkdir(dirname(file), { recursive: true });
        await connection.run(
          `COPY (SELECT ${columns} FROM flights WHERE CAST(${time} AS DATE) = DATE ${literal(each)} ORDER BY ${time}, flight_id) TO ${literal(file)} (FORMAT parquet)`,
        );
        partitions.push({ kind, day: each, file });
      }
  });
  return modelDay('models/flight-delay', day, partitions);
}

/** A day of payments, whose features need no other event of it. */
export async function cardDay(): Promise<ModelDay> {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-cards-'));
  const partitions = await cards.prepare({ folder, sample: 1 });
  const online = {
    context: [],
    maxRows: 100,
    maxAggregateAgeDays: 2,
    objectiveMs: 1000,
    pointerMaxAgeSeconds: 5,
    retentionDays: 30,
  };
  return modelDay('test/models/card-fraud', '2026-02-01', partitions, online);
}
