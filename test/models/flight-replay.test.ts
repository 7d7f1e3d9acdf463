import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Row, rowsOf, withDatabase } from '#adapters/duckdb/database.ts';
import { digestOf } from '#domain/canonical/digest.ts';
import { replay as flights } from '../../models/flight-delay/replay.ts';

const data = join(dirname(createRequire(import.meta.url).resolve('vega-datasets')), '../data/flights-3m.parquet');

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-models-'));
});
afterAll(() => rm(folder, { recursive: true }));

function query(sql: string): Promise<Row[]> {
  return withDatabase('2GB', (connection) => rowsOf(connection, sql));
}

describe('replayed flights', () => {
  it('are the same each time, and kept', async () => {
    const first = await flights.prepare({ folder: join(folder, 'flights'), sample: 0.02 });
    expect(first.filter((partition) => partition.kind === 'events')).toHaveLength(181);
    const made = await stat(first[0]?.file ?? '');
    expect(await flights.prepare({ folder: join(folder, 'flights'), sample: 0.02 })).toEqual(first);
    expect((await stat(first[0]?.file ?? '')).mtimeMs).toBe(made.mtimeMs);
    expect(digestOf(await readFile(first[100]?.file ?? ''))).toBe(first[100]?.sha256);
  });

  it('depart in UTC, with departures past midnight on the day on which they left', async () => {
    await flights.prepare({ folder: join(folder, 'flights'), sample: 0.02 });
    const joined = `
      read_parquet('${join(folder, 'flights/sample-0.02/events/*/*.parquet')}', hive_partitioning = false) AS flight
      JOIN read_parquet('${data}', file_row_number = true) AS source ON flight_id = printf('f%07d', source.file_row_number)`;
    const late = 'hour(date) < 6 AND hour(date) * 60 + minute(date) < delay';
    expect(await query(`SELECT count(*) AS repaired FROM '${data}' WHERE ${late}`)).toEqual([{ repaired: 5817 }]);
    const [shifts] = await query(
      `SELECT count(*) FILTER (${late}) > 50 AS some, bool_and(departed_local - date = CASE WHEN ${late} THEN INTERVAL 1 DAY ELSE INTERVAL 0 DAY END) AS whole FROM ${joined}`,
    );
    expect(shifts).toEqual({ some: true, whole: true });
    const offsets = await query(
      `SELECT flight.origin AS airport, departed_local < '2001-04-01' AS winter,
              string_agg(DISTINCT date_diff('hour', departed_local, departed_at)) AS hours
       FROM ${joined}
       WHERE flight.origin IN ('JFK', 'LAX', 'PHX', 'HNL') AND departed_local::DATE <> '2001-04-01' GROUP BY ALL ORDER BY ALL`,
    );
    expect(offsets.map(({ airport, winter, hours }) => [airport, winter, hours])).toEqual([
      ['HNL', false, '10'],
      ['HNL', true, '10'],
      ['JFK', false, '4'],
      ['JFK', true, '5'],
      ['LAX', false, '7'],
      ['LAX', true, '8'],
      ['PHX', false, '7'],
      ['PHX', true, '7'],
    ]);
  });

  it('can be damaged on some days, and only there', async () => {
    const clean = await flights.prepare({ folder: join(folder, 'flights'), sample: 0.02 });
    const flipped = await flights.prepare({
      folder: join(folder, 'flights'),
      sample: 0.02,
      damage: { kind: 'flipped-labels', first: '2001-02-01', last: '2001-02-03' },
    });
    const changed = flipped.filter((partition, index) => partition.sha256 !== clean[index]?.sha256);
    expect(changed.map(({ kind, day }) => `${kind} ${day}`)).toEqual([
      'labels 2001-02-01',
      'labels 2001-02-02',
      'labels 2001-02-03',
    ]);
    const [share] = await query(
      `SELECT avg((a.late <> b.late)::INTEGER) AS share FROM '${changed[1]?.file ?? ''}' a JOIN '${clean.find(({ kind, day }) => kind === 'labels' && day === '2001-02-02')?.file ?? ''}' b USING (flight_id)`,
    );
    expect(share?.['share']).toBeGreaterThan(0.2);
    expect(share?.['share']).toBeLessThan(0.4);
    const wrong = {
      folder: join(folder, 'flights'),
      sample: 0.02,
      damage: { kind: 'fire', first: '2001-02-01', last: '2001-02-03' },
    };
    await expect(flights.prepare(wrong)).rejects.toThrow(
      "damage is 'fire', allowed: flipped-labels, kilometres, shifted-clock, half-missing",
    );
    await expect(flights.prepare({ folder, sample: 0 })).rejects.toThrow('sample is 0');
  });
});
