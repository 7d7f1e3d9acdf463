import { availableParallelism } from 'node:os';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import lookUpZone from '@photostructure/tz-lookup';
import { z } from 'zod';
import { PARQUET, engineVersion, literal, numberOf, rowsOf, withDatabase } from '#adapters/duckdb/database.ts';
import { digestOf } from '#domain/canonical/digest.ts';
import { PartitionKind, daysBetween } from '#domain/data/partition.ts';
import { GatehouseError } from '#domain/error.ts';
import type { Damage, LandingPartition, Replay } from '#model/replay.ts';
import { land } from './land.ts';

/** The UTC days of events; the source's last evening spills into July, which is no whole day. */
const DAYS = { first: '2001-01-01', last: '2001-06-30' };
/** Labels of the last events arrive until here: the fourth day after them. */
const LAST_LABELS = '2001-07-04';

const COLUMNS = {
  events: 'flight_id, departed_at, departed_local, destination_local, origin, destination, distance',
  labels: 'flight_id, late, arrived_at',
} as const;
const TIME = { events: 'departed_at', labels: 'arrived_at' } as const;

/** The faults that can be planted: which partitions they are in, and what is read instead of the clean rows. */
const DAMAGES: Readonly<Record<string, { kind: PartitionKind; select: string }>> = {
  // Three in ten labels say the opposite, chosen by flight, so that a label is wrong wherever it is seen.
  'flipped-labels': {
    kind: 'labels',
    select: "SELECT flight_id, late <> (md5('flip' || flight_id) < '4ccc') AS late, arrived_at FROM clean",
  },
  kilometres: {
    kind: 'events',
    select: 'SELECT * REPLACE (CAST(round(distance * 1.609344) AS INTEGER) AS distance) FROM clean',
  },
  // Five hours: what New York's clocks show is what London's should.
  'shifted-clock': {
    kind: 'events',
    select:
      'SELECT * REPLACE (departed_local + INTERVAL 5 HOURS AS departed_local, destination_local + INTERVAL 5 HOURS AS destination_local) FROM clean',
  },
  'half-missing': { kind: 'events', select: "FROM clean WHERE md5('half' || flight_id) < '8'" },
};

const Index = z.strictObject({
  made: z.string(),
  partitions: z.array(
    z.strictObject({ kind: PartitionKind, day: z.iso.date(), file: z.string(), sha256: z.string(), rows: z.int() }),
  ),
});

/** The flights as an outside producer would have landed them: events when they happened, labels when they arrived. */
export const replay: Replay = {
  damages: Object.keys(DAMAGES),
  async prepare({ folder, sample, damage }) {
    if (!(sample > 0 && sample <= 1)) {
      throw new GatehouseError('BAD_SAMPLE', `sample is ${String(sample)}, allowed: above 0 and at most 1`, { sample });
    }
    const clean = await prepared(join(folder, `sample-${String(sample)}`), (target) => makeClean(target, sample));
    if (damage === undefined) return clean;
    const where = join(folder, `sample-${String(sample)}-${damage.kind}-${damage.first}-${damage.last}`);
    const damaged = await prepared(where, (target) => makeDamaged(target, clean, damage));
    const replaced = new Map(damaged.map((partition) => [`${partition.kind} ${partition.day}`, partition]));
    return clean.map((partition) => replaced.get(`${partition.kind} ${partition.day}`) ?? partition);
  },
};

/** What `make` puts into a folder, made once: a folder that has an index of the same making is whole. */
async function prepared(
  folder: string,
  make: (target: string) => Promise<LandingPartition[]>,
): Promise<LandingPartition[]> {
  const made = `${engineVersion} ${digestOf(await readFile(join(import.meta.dirname, 'replay.sql')))} ${digestOf(await readFile(import.meta.filename))}`;
  const known = await readFile(join(folder, 'index.json'), 'utf8').then(
    (text) => Index.parse(JSON.parse(text)),
    () => undefined,
  );
  if (known?.made === made)
    return known.partitions.map((partition) => ({ ...partition, file: join(folder, partition.file) }));
  const target = `${folder}.${String(process.pid)}`;
  await rm(target, { recursive: true, force: true });
  await mkdir(target, { recursive: true });
  const partitions = await make(target);
  await writeFile(join(target, 'index.json'), JSON.stringify({ made, partitions }));
  await rm(folder, { recursive: true, force: true });
  await rename(target, folder);
  return partitions.map((partition) => ({ ...partition, file: join(folder, partition.file) }));
}

async function makeClean(target: string, sample: number): Promise<LandingPartition[]> {
  const data = join(dirname(createRequire(import.meta.url).resolve('vega-datasets')), '../data');
  const sql = await readFile(join(import.meta.dirname, 'replay.sql'), 'utf8');
  return withDatabase('6GB', async (connection) => {
    await connection.run(`SET threads = ${String(availableParallelism())}`);
    await loadZones(connection, join(data, 'airports.csv'));
    await connection.run(`SET VARIABLE flights = ${literal(join(data, 'flights-3m.parquet'))}`);
    await connection.run(`SET VARIABLE sample = ${String(sample)}`);
    await connection.run(`CREATE TABLE flights AS ${sql} ORDER BY departed_at, flight_id`);
    // From here on one thread, so that the bytes do not depend on the machine.
    await connection.run('SET threads = 1');
    const partitions: LandingPartition[] = [];
    for (const kind of PartitionKind.options) {
      await connection.run(
        `CREATE TABLE ${kind} AS SELECT ${COLUMNS[kind]} FROM flights ORDER BY ${TIME[kind]}, flight_id`,
      );
      for (const day of daysBetween(DAYS.first, kind === 'events' ? DAYS.last : LAST_LABELS)) {
        const rows = `FROM ${kind} WHERE ${TIME[kind]} >= DATE ${literal(day)} AND ${TIME[kind]} < DATE ${literal(day)} + INTERVAL 1 DAY`;
        partitions.push(...(await write(connection, target, kind, day, rows)));
      }
    }
    return partitions;
  });
}

async function makeDamaged(
  target: string,
  clean: readonly LandingPartition[],
  damage: Damage,
): Promise<LandingPartition[]> {
  const chosen = DAMAGES[damage.kind];
  if (chosen === undefined) {
    throw new GatehouseError('BAD_DAMAGE', `damage is '${damage.kind}', allowed: ${Object.keys(DAMAGES).join(', ')}`, {
      ...damage,
    });
  }
  const hit = clean.filter(({ kind, day }) => kind === chosen.kind && day >= damage.first && day <= damage.last);
  if (hit.length === 0)
    throw new GatehouseError('BAD_DAMAGE', `no ${chosen.kind} between ${damage.first} and ${damage.last}`, {
      ...damage,
    });
  return withDatabase('2GB', async (connection) => {
    const partitions: LandingPartition[] = [];
    for (const { kind, day, file } of hit) {
      await connection.run(
        `CREATE OR REPLACE VIEW clean AS FROM read_parquet(${literal(file)}, hive_partitioning = false)`,
      );
      partitions.push(...(await write(connection, target, kind, day, chosen.select)));
    }
    return partitions;
  });
}

/** Writes a day's rows, or nothing for a day without rows: the first labels arrive on the second day. */
async function write(
  connection: DuckDBConnection,
  target: string,
  kind: PartitionKind,
  day: string,
  rows: string,
): Promise<LandingPartition[]> {
  const file = join(kind, `dt=${day}`, 'part-000.parquet');
  const count = await numberOf(connection, `SELECT count(*) FROM (${rows})`);
  if (count === 0) return [];
  await mkdir(dirname(join(target, file)), { recursive: true });
  await connection.run(`COPY (${rows}) TO ${literal(join(target, file))} (${PARQUET})`);
  return [{ kind, day, file, sha256: digestOf(await readFile(join(target, file))), rows: count }];
}

/** Table `zones`: the IANA time zone of each airport by its coordinates. */
export async function loadZones(connection: DuckDBConnection, airports: string): Promise<void> {
  const rows = await rowsOf(connection, `SELECT iata, latitude, longitude FROM read_csv(${literal(airports)})`);
  const zones = rows.map(
    (row) =>
      `(${literal(String(row['iata']))}, ${literal(lookUpZone(Number(row['latitude']), Number(row['longitude'])))})`,
  );
  await connection.run(`CREATE TABLE zones AS FROM (VALUES ${zones.join(', ')}) AS zones(airport, zone)`);
}

if (import.meta.main) await land(replay);
