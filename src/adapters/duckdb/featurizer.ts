import { readFile, rm } from 'node:fs/promises';
import type { DuckDBConnection } from '@duckdb/node-api';
import { type Digest, digestOf } from '#domain/canonical/digest.ts';
import type { Refusal } from '#domain/error.ts';
import type { ModelDefinition } from '#domain/model/definition.ts';
import { PARQUET, type Refused, literal, messageOf, name, numberOf, rowsOf, withDatabase } from './database.ts';
import type { DayFile } from './inputs.ts';
import { type Preloaded, preload } from './preloaded.ts';
import { inspectSql } from './sql-guard.ts';

/** A Parquet file that was made: the same inputs, SQL and engine give the same bytes. */
export interface Built {
  readonly kind: 'built';
  readonly rows: number;
  readonly sha256: Digest;
}

/** What feature SQL may use up. */
export interface Limits {
  readonly milliseconds: number;
  /** In DuckDB's words, such as `1GB`. */
  readonly memory: string;
}

type FeatureDefinition = Pick<ModelDefinition, 'events' | 'labels' | 'features'>;
const LIMITS: Limits = { milliseconds: 120_000, memory: '1GB' };

interface Recipe<Sql, Item> {
  readonly sql: Sql;
  readonly definition: FeatureDefinition;
  /** The days of a batch; results come in their order. */
  readonly items: readonly Item[];
  readonly limits?: Limits;
}

/** Builds the aggregates of arrival days, each from its labels and the trailing events, as its `out`. */
export async function buildDaily(
  recipe: Recipe<
    string,
    {
      readonly day: string;
      readonly events: readonly DayFile[];
      readonly labels: readonly DayFile[];
      readonly out: string;
    }
  >,
): Promise<(Built | Refused)[]> {
  const { sql, definition, items, limits = LIMITS } = recipe;
  return withDatabase(limits.memory, async (connection) => {
    const tables = await preload(connection, definition, {
      events: items.flatMap(({ events }) => events),
      labels: items.flatMap(({ labels }) => labels),
      daily: [],
    });
    const guilty = await inspectSql(connection, sql, ['events', 'labels']);
    await lockIn(
      connection,
      items.map(({ out }) => out),
    );
    return inTurn(items, async ({ day, events, labels, out }) => {
      const refusal =
        (await tables.put('events', events)) ??
        (await tables.put('labels', labels)) ??
        guilty ??
        (await runSql(connection, sql, 'daily_result', day, limits)) ??
        (await checkDaily(connection));
      if (refusal !== undefined) return refusal;
      await rm(out, { force: true });
      await connection.run(`COPY (SELECT * FROM daily_result ORDER BY ALL) TO ${literal(out)} (${PARQUET})`);
      return built(connection, 'daily_result', out);
    });
  });
}

/**
 * Builds the features of the events of some days, each from the trailing events and daily aggregates, as its `out`: the
 * id, the entity, the time and the features as 32-bit floats, which is what both training and scoring read, in the order
 * of the ids.
 */
export async function buildFeatures(
  recipe: Recipe<
    { readonly daily: string; readonly features: string },
    {
      readonly day: string;
      readonly events: readonly DayFile[];
      readonly daily: readonly DayFile[];
      readonly out: string;
    }
  >,
): Promise<(Built | Refused)[]> {
  const { sql, definition, items, limits = LIMITS } = recipe;
  const { id, entity, time } = definition.events;
  const columns = definition.features.columns.map((column) => `CAST(${name(column)} AS FLOAT) AS ${name(column)}`);
  const selected = [...new Set([id, entity, time])].map(name).concat(columns).join(', ');
  return withDatabase(limits.memory, async (connection) => {
    const tables = await preload(connection, definition, {
      events: items.flatMap(({ events }) => events),
      labels: [],
      daily: items.flatMap(({ daily }) => daily),
    });
    const guilty = await inspectSql(connection, sql.features, ['events', 'daily']);
    await lockIn(
      connection,
      items.map(({ out }) => out),
    );
    return inTurn(items, async ({ day, events, daily, out }) => {
      const refusal =
        (await tables.put('events', events)) ??
        (await tables.put('daily', daily)) ??
        guilty ??
        (daily.length === 0 ? await emptyDaily(connection, sql.daily, tables) : undefined) ??
        (await runSql(connection, sql.features, 'features', day, limits)) ??
        (await checkFeatures(connection, day, definition));
      if (refusal !== undefined) return refusal;
      await rm(out, { force: true });
      await connection.run(
        `COPY (SELECT ${selected} FROM features ORDER BY ${name(id)}) TO ${literal(out)} (${PARQUET})`,
      );
      return built(connection, 'features', out);
    });
  });
}

/** Does the days of a batch one after the other; a day that is refused is none of the others' business. */
async function inTurn<Item>(
  items: readonly Item[],
  work: (item: Item) => Promise<Built | Refusal>,
): Promise<(Built | Refused)[]> {
  const results: (Built | Refused)[] = [];
  for (const item of items) {
    const result = await work(item);
    results.push('rule' in result ? { kind: 'refused', refusal: result } : result);
  }
  return results;
}

async function built(connection: DuckDBConnection, table: string, out: string): Promise<Built> {
  const rows = await numberOf(connection, `SELECT count(*) FROM ${table}`);
  return { kind: 'built', rows, sha256: digestOf(await readFile(out)) };
}

/** On the first day of history there is no aggregate, so the daily SQL over no rows says which columns it would have. */
async function emptyDaily(connection: DuckDBConnection, sql: string, tables: Preloaded): Promise<Refusal | undefined> {
  const refusal = (await inspectSql(connection, sql, ['events', 'labels'])) ?? (await tables.put('labels', []));
  if (refusal !== undefined) return refusal;
  try {
    await connection.run(
      `CREATE OR REPLACE TABLE daily AS SELECT *, NULL::DATE AS "partition" FROM query(${literal(sql)}) LIMIT 0`,
    );
    await connection.run('DROP VIEW labels');
    return undefined;
  } catch (error) {
    return { rule: 'feature SQL runs', found: `the daily SQL: ${messageOf(error)}`, remedy: 'correct the SQL' };
  }
}

/**
 * Takes everything away from the engine but the loaded tables and the output files, for good.
 * Source: https://duckdb.org/docs/stable/operations_manual/securing_duckdb/overview
 */
export async function lockIn(connection: DuckDBConnection, outs: readonly string[]): Promise<void> {
  await connection.run(`SET allowed_paths = [${outs.map(literal).join(', ')}]`);
  await connection.run('SET enable_external_access = false');
  await connection.run('SET lock_configuration = true');
}

/** Runs feature SQL into a table. `query()` accepts a single SELECT only, so that no text can step out of it. */
export async function runSql(
  connection: DuckDBConnection,
  sql: string,
  table: string,
  day: string,
  limits: Limits,
): Promise<Refusal | undefined> {
  await connection.run(`SET VARIABLE partition = DATE ${literal(day)}`);
  const alarm = setTimeout(() => connection.interrupt(), limits.milliseconds);
  try {
    await connection.run(`CREATE OR REPLACE TABLE ${table} AS FROM query(${literal(sql)})`);
    return undefined;
  } catch (error) {
    const found = messageOf(error);
    if (found.startsWith('INTERRUPT')) {
      return {
        rule: 'feature SQL ends in time',
        found: `still running after ${String(limits.milliseconds)} ms`,
        remedy: 'make the SQL cheaper or the partitions smaller',
      };
    }
    if (found.startsWith('Out of Memory')) {
      return { rule: 'feature SQL fits in memory', found, remedy: 'make the SQL cheaper or the partitions smaller' };
    }
    return { rule: 'feature SQL runs', found, remedy: 'correct the SQL' };
  } finally {
    clearTimeout(alarm);
  }
}

async function checkDaily(connection: DuckDBConnection): Promise<Refusal | undefined> {
  const columns = await columnsOf(connection, 'daily_result');
  if (!columns.has('partition')) return undefined;
  return {
    rule: 'daily SQL leaves partition to the pipeline',
    found: 'column partition',
    remedy: 'name the column otherwise',
  };
}

const NUMERIC = /^(U?(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)|FLOAT|DOUBLE|DECIMAL\(.*\))$/;

async function checkFeatures(
  connection: DuckDBConnection,
  day: string,
  { events, features }: FeatureDefinition,
): Promise<Refusal | undefined> {
  const columns = await columnsOf(connection, 'features');
  const wanted = new Set([events.id, events.entity, events.time, ...features.columns]);
  const missing = [...wanted].filter((column) => !columns.has(column));
  const extra = [...columns.keys()].filter((column) => !wanted.has(column));
  if (missing.length + extra.length > 0) {
    const found = [
      ...missing.map((column) => `${column} is missing`),
      ...extra.map((column) => `${column} is not declared`),
    ].join('; ');
    return {
      rule: 'features SQL gives id, entity, time and the declared features',
      found,
      remedy: 'correct features.sql, or features.columns in model.ts',
    };
  }
  const words = features.columns.filter((column) => !NUMERIC.test(columns.get(column) ?? ''));
  if (words.length > 0) {
    const found = words.map((column) => `${column} is ${columns.get(column) ?? 'missing'}`).join('; ');
    return { rule: 'features are numbers', found, remedy: 'cast them in features.sql' };
  }
  return (await checkRows(connection, day, events)) ?? checkValues(connection, features.columns);
}

async function checkRows(
  connection: DuckDBConnection,
  day: string,
  { id, entity, time }: FeatureDefinition['events'],
): Promise<Refusal | undefined> {
  const key = [...new Set([id, entity, time])].map(name).join(', ');
  const today = `SELECT ${key} FROM events WHERE CAST(${name(time)} AS DATE) = DATE ${literal(day)}`;
  const [counts = {}] = await rowsOf(
    connection,
    `WITH today AS MATERIALIZED (${today}), theirs AS (SELECT count(*) AS events, count(DISTINCT ${name(id)}) AS ids FROM today),
          ours AS (SELECT count(*) AS rows, count(DISTINCT ${name(id)}) AS distinct_rows FROM features)
     SELECT *, (SELECT count(*) FROM (SELECT ${key} FROM features EXCEPT FROM today)) AS strangers FROM theirs, ours`,
  );
  const [total, ids, rows, distinct, strangers] = ['events', 'ids', 'rows', 'distinct_rows', 'strangers'].map((key) =>
    Number(counts[key]),
  );
  if (ids !== total) {
    return {
      rule: 'event ids are unique',
      found: `${String(total)} events on ${day} with ${String(ids)} ids`,
      remedy: 'correct the partition at its source',
    };
  }
  if (rows !== distinct) {
    return {
      rule: 'features have one row per event',
      found: `${String(rows)} rows for ${String(distinct)} ids`,
      remedy: 'look for a join in features.sql that multiplies rows',
    };
  }
  if (rows !== total) {
    return {
      rule: 'features have one row per event',
      found: `${String(rows)} rows for ${String(total)} events on ${day}`,
      remedy: "keep exactly the events of getvariable('partition')",
    };
  }
  if (strangers !== 0) {
    return {
      rule: 'features have one row per event',
      found: `${String(strangers)} rows whose id, entity or time no event has`,
      remedy: 'pass these columns on unchanged',
    };
  }
  return undefined;
}

/** The greatest 32-bit float, beyond which a feature would become infinite. */
const GREATEST = 3.402_823_466e38;

async function checkValues(connection: DuckDBConnection, columns: readonly string[]): Promise<Refusal | undefined> {
  const counts = columns.map(
    (column) =>
      `count(*) FILTER (isnan(${name(column)}::DOUBLE) OR abs(${name(column)}::DOUBLE) > ${String(GREATEST)}) AS ${name(column)}`,
  );
  const [row = {}] = await rowsOf(connection, `SELECT ${counts.join(', ')} FROM features`);
  const wrong = Object.entries(row).filter(([, count]) => Number(count) > 0);
  if (wrong.length === 0) return undefined;
  const found = wrong.map(([column, count]) => `${column} in ${String(count)} rows`).join('; ');
  return { rule: 'features are finite', found, remedy: 'give NULL where a feature has no value' };
}

async function columnsOf(connection: DuckDBConnection, table: string): Promise<Map<string, string>> {
  const rows = await rowsOf(connection, `DESCRIBE ${table}`);
  return new Map(rows.map((row) => [String(row['column_name']), String(row['column_type'])]));
}
