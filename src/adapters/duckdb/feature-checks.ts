import type { DuckDBConnection } from '@duckdb/node-api';
import type { Refusal } from '#domain/refusal/refusal.ts';
import type { ModelDefinition } from '#domain/model/definition.ts';
import { literal, name, rowsOf } from './database.ts';

type FeatureDefinition = Pick<ModelDefinition, 'events' | 'features'>;

/** Whether the aggregates of a day leave to the pipeline the column that it adds. */
export async function checkDaily(connection: DuckDBConnection, table: string): Promise<Refusal | undefined> {
  const columns = await columnsOf(connection, table);
  if (!columns.has('partition')) return undefined;
  return {
    rule: 'daily-sql-without-partition',
    found: 'column partition',
    remedy: 'name the column otherwise',
  };
}

const NUMERIC = /^(U?(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)|FLOAT|DOUBLE|DECIMAL\(.*\))$/;

/** Whether a table has what features must have: one row for each event of the day, and a finite number or NULL in each. */
export async function checkFeatures(
  connection: DuckDBConnection,
  table: string,
  day: string,
  { events, features }: FeatureDefinition,
): Promise<Refusal | undefined> {
  const columns = await columnsOf(connection, table);
  const wanted = new Set([events.id, events.entity, events.time, ...features.columns]);
  const missing = [...wanted].filter((column) => !columns.has(column));
  const extra = [...columns.keys()].filter((column) => !wanted.has(column));
  if (missing.length + extra.length > 0) {
    const found = [
      ...missing.map((column) => `${column} is missing`),
      ...extra.map((column) => `${column} is not declared`),
    ].join('; ');
    return {
      rule: 'feature-columns-declared',
      found,
      remedy: 'correct features.sql, or features.columns in model.ts',
    };
  }
  const words = features.columns.filter((column) => !NUMERIC.test(columns.get(column) ?? ''));
  if (words.length > 0) {
    const found = words.map((column) => `${column} is ${columns.get(column) ?? 'missing'}`).join('; ');
    return { rule: 'features-numeric', found, remedy: 'cast them in features.sql' };
  }
  return (await checkRows(connection, table, day, events)) ?? checkValues(connection, table, features.columns);
}

async function checkRows(
  connection: DuckDBConnection,
  table: string,
  day: string,
  { id, entity, time }: FeatureDefinition['events'],
): Promise<Refusal | undefined> {
  const key = [...new Set([id, entity, time])];
  const today = `SELECT ${key.map(name).join(', ')} FROM events WHERE CAST(${name(time)} AS DATE) = DATE ${literal(day)}`;
  // Each row beside the event that it is of: a null is equal to another.
  const same = key.map((column) => `ours.${name(column)} IS NOT DISTINCT FROM today.${name(column)}`).join(' AND ');
  const [quick = {}] = await rowsOf(
    connection,
    `SELECT count(*) AS events, count(ours.${name(id)}) AS matched, count(DISTINCT ours.${name(id)}) AS ids,
            (SELECT count(*) FROM ${table}) AS rows
     FROM (${today}) AS today LEFT JOIN ${table} AS ours ON ${same}`,
  );
  // As many events as rows, of as many ids, and each has its row.
  if (new Set(Object.values(quick)).size === 1) return undefined;
  const [counts = {}] = await rowsOf(
    connection,
    `WITH today AS MATERIALIZED (${today})
     SELECT (SELECT count(*) FROM today) AS events, (SELECT count(DISTINCT ${name(id)}) FROM today) AS ids,
            (SELECT count(*) FROM ${table}) AS rows, (SELECT count(DISTINCT ${name(id)}) FROM ${table}) AS distinct_rows,
            (SELECT count(*) FROM ${table} AS ours ANTI JOIN today ON ${same}) AS unknown`,
  );
  const [total, ids, rows, distinct, unknown] = ['events', 'ids', 'rows', 'distinct_rows', 'unknown'].map((each) =>
    Number(counts[each]),
  );
  if (ids !== total) {
    return {
      rule: 'event-ids-unique',
      found: `${String(total)} events on ${day} with ${String(ids)} ids`,
      remedy: 'correct the partition at its source',
    };
  }
  if (rows !== distinct) {
    return {
      rule: 'one-feature-row-per-event',
      found: `${String(rows)} rows for ${String(distinct)} ids`,
      remedy: 'look for a join in features.sql that multiplies rows',
    };
  }
  if (rows !== total) {
    return {
      rule: 'one-feature-row-per-event',
      found: `${String(rows)} rows for ${String(total)} events on ${day}`,
      remedy: "keep exactly the events of getvariable('partition')",
    };
  }
  if (unknown !== 0) {
    return {
      rule: 'one-feature-row-per-event',
      found: `${String(unknown)} rows whose id, entity or time no event has`,
      remedy: 'pass these columns on unchanged',
    };
  }
  return undefined;
}

/** The greatest 32-bit float, beyond which a feature would become infinite. */
export const GREATEST = 3.402_823_466e38;

async function checkValues(
  connection: DuckDBConnection,
  table: string,
  columns: readonly string[],
): Promise<Refusal | undefined> {
  // What is no number is greater than each number to the engine: one aggregate per column says whether to count.
  const size = (column: string): string => `abs(${name(column)}::DOUBLE)`;
  const greatest = columns.map((column) => `max(${size(column)}) > ${String(GREATEST)}`).join(' OR ');
  const [looked = {}] = await rowsOf(connection, `SELECT ${greatest} AS beyond FROM ${table}`);
  if (looked['beyond'] !== true) return undefined;
  const counts = columns.map((column) => `count(*) FILTER (${size(column)} > ${String(GREATEST)}) AS ${name(column)}`);
  const [row = {}] = await rowsOf(connection, `SELECT ${counts.join(', ')} FROM ${table}`);
  const wrong = Object.entries(row).filter(([, count]) => Number(count) > 0);
  const found = wrong.map(([column, count]) => `${column} in ${String(count)} rows`).join('; ');
  return { rule: 'features-finite', found, remedy: 'give NULL where a feature has no value' };
}

async function columnsOf(connection: DuckDBConnection, table: string): Promise<Map<string, string>> {
  const rows = await rowsOf(connection, `DESCRIBE ${table}`);
  return new Map(rows.map((row) => [String(row['column_name']), String(row['column_type'])]));
}
