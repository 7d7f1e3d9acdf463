import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { rowsOf, withDatabase } from '#adapters/duckdb/database.ts';
import { buildDaily, buildFeatures } from '#adapters/duckdb/featurizer.ts';
import { addDays, daysBetween } from '#domain/data/partition.ts';
import { compileModel } from '#model/compile.ts';
import { workspace } from '../adapters/duckdb/_fixture.ts';

const ROOT = join(import.meta.dirname, '../..');
const { path, parquet } = workspace();
const DAY = '2024-02-25';
const FIRST = '2024-02-20';

/** The models that come with the product: how an event, of a key and of a time, and a label look in each. */
const MODELS = {
  'cli/templates/model': {
    event: (id: string, key: string, at: string) =>
      `SELECT '${id}' AS event_id, TIMESTAMP '${at}' AS occurred_at, '${key}' AS customer, 5.0::DOUBLE AS amount`,
    label: (id: string, value: boolean, at: string) =>
      `SELECT '${id}' AS event_id, ${value} AS outcome, TIMESTAMP '${at}' AS arrived_at`,
  },
  'models/flight-delay': {
    event: (id: string, key: string, at: string) =>
      `SELECT '${id}' AS flight_id, TIMESTAMP '${at}' AS departed_at, TIMESTAMP '${at}' AS departed_local,
              TIMESTAMP '${at}' AS destination_local, '${key}' AS origin,
              'x' AS destination, 100 AS distance`,
    label: (id: string, value: boolean, at: string) =>
      `SELECT '${id}' AS flight_id, ${value} AS late, TIMESTAMP '${at}' AS arrived_at`,
  },
  'test/models/card-fraud': {
    event: (id: string, key: string, at: string) =>
      `SELECT ${id.slice(1)}::BIGINT AS payment_id, '${key}' AS card, TIMESTAMP '${at}' AS paid_at, 5.0::DOUBLE AS amount, true AS abroad`,
    label: (id: string, value: boolean, at: string) =>
      `SELECT ${id.slice(1)}::BIGINT AS payment_id, ${value} AS disputed, TIMESTAMP '${at}' AS reported_at`,
  },
} as const;

type Event = readonly [id: string, key: string, at: string];
type Label = readonly [id: string, value: boolean, at: string];

let made = 0;

/** The features of the day of some history: rows by day, one event of another key on each. */
async function featuresOf(model: keyof typeof MODELS, events: readonly Event[], labels: readonly Label[]) {
  const folder = join(ROOT, model);
  const { event, label } = MODELS[model];
  const definition = await compileModel(folder);
  const text = (name: string) => readFile(join(folder, 'features', name), 'utf8');
  const sql = { daily: await text('daily.sql'), features: await text('features.sql') };
  const run = String((made += 1));
  const days = daysBetween(FIRST, DAY);
  const eventFiles = await Promise.all(
    days.map(async (day, index) => {
      const own = events.filter(([, , at]) => at.startsWith(day)).map(([id, key, at]) => event(id, key, at));
      const select = [event(`e9${String(index)}`, 'c9', `${day} 12:00:00`), ...own].join(' UNION ALL ');
      return { day, file: await parquet(`${run}-events-${day}.parquet`, select) };
    }),
  );
  const labelFiles = await Promise.all(
    days.map(async (day, index) => {
      const own = labels.filter(([, , at]) => at.startsWith(day)).map(([id, value, at]) => label(id, value, at));
      const other = index === 0 ? [] : [label(`e9${String(index - 1)}`, index % 2 === 0, `${day} 13:00:00`)];
      const none = `${label('e0', true, `${day} 00:00:00`)} LIMIT 0`;
      return {
        day,
        file: await parquet(`${run}-labels-${day}.parquet`, [...own, ...other].join(' UNION ALL ') || none),
      };
    }),
  );
  const before = (day: string) =>
    eventFiles.filter((each) => each.day <= day && each.day >= addDays(day, -definition.features.eventDays));
  const daily = days.slice(0, -1).map((day) => ({ day, file: path(`${run}-daily-${day}.parquet`) }));
  const built = await buildDaily({
    sql: sql.daily,
    definition,
    items: daily.map(({ day, file }) => ({
      day,
      events: before(day),
      labels: labelFiles.filter((each) => each.day === day),
      out: file,
    })),
  });
  const out = path(`${run}-features.parquet`);
  const items = [{ day: DAY, events: before(DAY), daily, out }];
  for (const result of [...built, ...(await buildFeatures({ sql, definition, items }))])
    if (result.kind === 'refused') throw new Error(result.refusal.found);
  return withDatabase('512MB', (connection) => rowsOf(connection, `FROM read_parquet('${out}')`));
}

/** What a source may deliver of an event of 2024-02-20 whose label, true, arrived on 2024-02-23; each is of a key of its own. */
const HISTORIES: readonly ((id: string, key: string) => { readonly events?: Event; readonly labels?: Label })[] = [
  // A label that is corrected on a later day, and on the same day.
  (id) => ({ labels: [id, false, '2024-02-21 09:00:00'] }),
  (id) => ({ labels: [id, false, '2024-02-23 08:00:00'] }),
  // A label that is delivered twice at once, and again on a later day.
  (id) => ({ labels: [id, true, '2024-02-23 09:00:00'] }),
  (id) => ({ labels: [id, true, '2024-02-21 09:00:00'] }),
  // An event that lies on two days.
  (id, key) => ({ events: [id, key, '2024-02-21 00:00:00'] }),
];

it.each(Object.keys(MODELS) as (keyof typeof MODELS)[])(
  'trailing aggregates of %s count an event once, with its newest label',
  async (model) => {
    const cases = HISTORIES.map((more, index) => ({
      ...more(`e${index}`, `c${index}`),
      id: `e${index}`,
      key: `c${index}`,
    }));
    const events = cases.flatMap(({ id, key }): Event[] => [
      [id, key, '2024-02-20 23:00:00'],
      [id.replace('e', 'e5'), key, `${DAY} 10:00:00`],
    ]);
    const labels = cases.map(({ id }): Label => [id, true, '2024-02-23 09:00:00']);
    const found = await featuresOf(
      model,
      [...events, ...cases.flatMap((each) => (each.events ? [each.events] : []))],
      [...labels, ...cases.flatMap((each) => (each.labels ? [each.labels] : []))],
    );
    expect(found).toHaveLength(cases.length + 1);
    expect(found).toEqual(await featuresOf(model, events, labels));
    if (model !== 'cli/templates/model') return;
    const known = { customer_events: 1, customer_rate: Math.fround(2 / 3) };
    for (const row of found.filter((each) => each['customer'] !== 'c9')) expect(row).toMatchObject(known);
  },
);
