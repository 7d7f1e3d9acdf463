import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { literal, withDatabase } from '#adapters/duckdb/database.ts';
import { digestOf } from '#domain/canonical/digest.ts';
import type { ModelDefinition } from '#domain/model/definition.ts';

/** A model of payments by card: small enough to reckon by hand. */
export const definition: Pick<ModelDefinition, 'events' | 'labels' | 'features'> = {
  events: {
    source: 'e',
    readyMarker: '_READY',
    id: 'id',
    entity: 'card',
    time: 'paid',
    columns: { id: 'VARCHAR', card: 'VARCHAR', paid: 'TIMESTAMP', amount: 'DOUBLE' },
  },
  labels: {
    source: 'l',
    readyMarker: '_READY',
    join: 'id',
    value: 'bad',
    arrivedAt: 'seen',
    columns: { id: 'VARCHAR', bad: 'BOOLEAN', seen: 'TIMESTAMP' },
    matureAfterDays: 2,
  },
  features: {
    daily: { path: 'features/daily.sql', sha256: digestOf('') },
    features: { path: 'features/features.sql', sha256: digestOf('') },
    columns: ['amount', 'rate'],
    aggregateDays: 7,
    eventDays: 2,
  },
};

export const DAILY =
  'SELECT card, count(*) FILTER (bad) AS bad, count(*) AS total FROM labels JOIN events USING (id) GROUP BY card';
export const FEATURES = `
  WITH rates AS (SELECT card, sum(bad) / sum(total) AS rate FROM daily GROUP BY card)
  SELECT id, card, paid, amount, rate FROM events LEFT JOIN rates USING (card)
  WHERE paid::DATE = getvariable('partition')`;

/** A folder for this file's tests, and a way to write Parquet into it. */
export function workspace(): {
  path: (name: string) => string;
  parquet: (name: string, select: string, options?: string) => Promise<string>;
} {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gatehouse-duckdb-'));
  });
  afterAll(() => rm(folder, { recursive: true }));
  const path = (name: string): string => join(folder, name);
  return {
    path,
    async parquet(name, select, options = 'COMPRESSION snappy') {
      await withDatabase('512MB', (connection) =>
        connection.run(`COPY (${select}) TO ${literal(path(name))} (FORMAT parquet, ${options})`),
      );
      return path(name);
    },
  };
}

/** Events of a day: `count` payments of three cards, one an hour. */
export function eventsOf(day: string, count = 6): string {
  return `SELECT '${day}-' || i AS id, 'card-' || (i % 3) AS card, TIMESTAMP '${day}' + to_hours(i) AS paid, (i + 0.5)::DOUBLE AS amount
          FROM range(${String(count)}) AS t(i)`;
}

/** Features of a day's events as they are built: one rate of six is missing. */
export function featuresOf(of: string, count = 6): string {
  return `SELECT id, card, paid, amount::FLOAT AS amount, CASE WHEN i <> 2 THEN (i / 10)::FLOAT END AS rate
          FROM (SELECT *, split_part(id, '-', 4)::INTEGER AS i FROM (${eventsOf(of, count)}))`;
}

/** Labels that arrive on a day for the events of another: every second payment is bad. */
export function labelsOf(day: string, arrived: string, count = 6): string {
  return `SELECT '${day}-' || i AS id, i % 2 = 1 AS bad, TIMESTAMP '${arrived}' + to_hours(i) AS seen FROM range(${String(count)}) AS t(i)`;
}

/** The one result of a batch of one day. */
export async function only<T>(results: Promise<readonly T[]>): Promise<T> {
  const [result, ...others] = await results;
  if (result === undefined || others.length > 0) throw new Error('a batch of one day has one result');
  return result;
}
