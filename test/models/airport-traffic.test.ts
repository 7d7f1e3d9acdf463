import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { literal, type Row, rowsOf, withDatabase } from '#adapters/duckdb/database.ts';
import { buildDaily, buildFeatures } from '#adapters/duckdb/featurizer.ts';
import { addDays, daysBetween } from '#domain/data/partition.ts';
import { compileModel } from '#model/compile.ts';
import { workspace } from '../adapters/duckdb/_fixture.ts';

const HOME = join(import.meta.dirname, '../../models/flight-delay');
const { path } = workspace();

/** A history in which the clocks of New York and Chicago go forward, and on whose last day more flights depart. */
const [FIRST, CLOCK_CHANGE, BUSY] = ['2001-03-12', '2001-04-01', '2001-04-08'];

/**
 * Flights between three airports, by arithmetic: an hour of New York's clock has as many departures as its number modulo 4 (two
 * more on the busy day), of Chicago's modulo 3, and of Phoenix', which never changes, one.
 */
const FLIGHTS = `
  WITH airports(airport, zone) AS (VALUES ('JFK', 'America/New_York'), ('ORD', 'America/Chicago'), ('PHX', 'America/Phoenix')),
  hours AS (
    SELECT *, unnest(generate_series(TIMESTAMP '${FIRST}', TIMESTAMP '${BUSY} 23:00:00', INTERVAL 1 HOUR)) AS hour FROM airports
  ),
  clocks AS (SELECT *, CAST(timezone(zone, timezone('UTC', hour)) AS TIMESTAMP) AS local FROM hours),
  departures AS (
    SELECT *, unnest(range(CASE airport WHEN 'JFK' THEN hour(local) % 4 + if(CAST(local AS DATE) = DATE '${BUSY}', 2, 0)
                                        WHEN 'ORD' THEN hour(local) % 3 ELSE 1 END)) AS number
    FROM clocks
  ),
  departed AS (
    SELECT printf('%s-%s-%d', airport, strftime(hour, '%m%d%H'), number) AS flight_id, hour + to_minutes(7 * number) AS departed_at,
           local + to_minutes(7 * number) AS departed_local, airport AS origin, 500 AS distance,
           CASE (hour(hour) + number) % 3 WHEN 0 THEN 'JFK' WHEN 1 THEN 'ORD' ELSE 'PHX' END AS destination
    FROM departures
  )
  SELECT departed.*, CAST(timezone(zone, timezone('UTC', departed_at)) AS TIMESTAMP) AS destination_local
  FROM departed JOIN airports ON airport = destination`;

/** The features of a day by flight, once for each time at which the day is cut off. */
async function featuresOf(day: string, cuts: readonly string[] = ['23:59:59']): Promise<ReadonlyMap<string, Row>[]> {
  const definition = await compileModel(HOME);
  const text = (name: string) => readFile(join(HOME, 'features', name), 'utf8');
  const sql = { daily: await text('daily.sql'), features: await text('features.sql') };
  const days = daysBetween(addDays(day, -16), addDays(day, -1));
  const file = (name: string) => path(`${day}-${name.replaceAll(':', '')}.parquet`);
  await withDatabase('512MB', async (connection) => {
    await connection.run(`CREATE TABLE flights AS ${FLIGHTS}`);
    const write = (on: string, name: string, until: string) =>
      connection.run(
        `COPY (FROM flights WHERE CAST(departed_at AS DATE) = DATE '${on}' AND departed_at <= TIMESTAMP '${on} ${until}')
         TO ${literal(file(name))} (FORMAT parquet)`,
      );
    for (const each of days) await write(each, each, '23:59:59');
    for (const cut of cuts) await write(day, cut, cut);
  });
  const before = (last: string) =>
    daysBetween(addDays(last, -definition.features.eventDays), last)
      .filter((each) => days.includes(each))
      .map((each) => ({ day: each, file: file(each) }));
  const daily = days.map((each) => ({ day: each, file: file(`daily-${each}`) }));
  const results = [
    ...(await buildDaily({
      sql: sql.daily,
      definition,
      items: daily.map((each) => ({ day: each.day, events: before(each.day), labels: [], out: each.file })),
    })),
    ...(await buildFeatures({
      sql,
      definition,
      items: cuts.map((cut) => {
        const events = [...before(addDays(day, -1)), { day, file: file(cut) }];
        return { day, events, daily, out: file(`out-${cut}`) };
      }),
    })),
  ];
  for (const result of results) if (result.kind === 'refused') throw new Error(result.refusal.found);
  return withDatabase('512MB', (connection) =>
    Promise.all(
      cuts.map(async (cut) => {
        const rows = await rowsOf(connection, `FROM read_parquet(${literal(file(`out-${cut}`))})`);
        return new Map(rows.map((row) => [String(row['flight_id']), row]));
      }),
    ),
  );
}

it('counts an airport’s last two closed hours, and divides by the mean of the same hours on the fourteen days before', async () => {
  const [found] = await featuresOf(BUSY);
  // Ten and eleven o'clock have 2 + 3 departures on every day, and two more in each on this one.
  expect(found?.get('JFK-040816-0')).toMatchObject({ origin_traffic: 9, origin_traffic_ratio: Math.fround(9 / 5) });
  // The hour in which it departs is not closed: a flight at its end knows what one at its beginning knows.
  expect(found?.get('JFK-040816-1')).toMatchObject({ origin_traffic: 9 });
  // By the clock of the airport that it flies to: Chicago's hours nine and ten have 0 + 1.
  const toChicago = found?.get('PHX-040816-0');
  expect(toChicago).toMatchObject({ origin_traffic: 2, destination_traffic: 1, destination_traffic_ratio: 1 });
});

it.each([CLOCK_CHANGE, addDays(CLOCK_CHANGE, 1), addDays(CLOCK_CHANGE, 6)])(
  'keeps to the clocks of airports on %s',
  async (day) => {
    const [found = new Map<string, Row>()] = await featuresOf(day);
    // In the morning the hours that the change left out would be seen, which no other day lacks.
    const later = [...found].flatMap(([id, row]) => (Number(id.slice(8, 10)) > 12 ? [row] : []));
    const ratios = later.flatMap((row) => [row['origin_traffic_ratio'], row['destination_traffic_ratio']]);
    expect(ratios.length).toBeGreaterThan(60);
    for (const ratio of ratios) expect(ratio).toBe(1);
  },
);

it.each([BUSY, CLOCK_CHANGE])('knows nothing of %s that happens after a flight has left', async (day) => {
  const [all, ...cut] = await featuresOf(day, ['23:59:59', '08:07:00', '15:07:00', '21:07:00']);
  for (const known of cut) {
    expect(known.size).toBeGreaterThan(5);
    expect(known.size).toBeLessThan(all?.size ?? 0);
    for (const [id, row] of known) expect(row).toEqual(all?.get(id));
  }
});
