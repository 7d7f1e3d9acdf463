import { readFile, rm } from 'node:fs/promises';
import type { DuckDBConnection } from '@duckdb/node-api';
import { type Digest, digestOf } from '#domain/canonical/digest.ts';
import { ENGINE_MEMORY } from '#domain/data/engine-limits.ts';
import type { Refusal, RuleId } from '#domain/refusal/refusal.ts';
import type { ModelDefinition } from '#domain/model/definition.ts';
import { PARQUET, type Refused, literal, messageOf, name, numberOf, withinMemory } from './database.ts';
import { checkDaily, checkFeatures } from './feature-checks.ts';
import type { DayFile } from '#ports/feature-engine.ts';
import { type Preloaded, hiddenSchema, preload } from './preloaded.ts';
import { inFile, inspectSql, type SqlRefusal, TABLES_OF } from './sql-guard.ts';

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
/** What feature SQL may use up where nothing else is said. */
export const SQL_LIMITS: Limits = { milliseconds: 120_000, memory: ENGINE_MEMORY };

/** The rules that a day breaks beside others and may meet by itself. */
const TOO_LARGE = new Set<RuleId>(['data-fits-in-memory', 'feature-sql-fits-in-memory']);

interface Recipe<Sql, Item> {
  readonly sql: Sql;
  readonly definition: FeatureDefinition;
  /** The days of a batch; results come in their order. */
  readonly items: readonly Item[];
  readonly limits?: Limits;
}

type DailyRecipe = Recipe<
  string,
  {
    readonly day: string;
    readonly events: readonly DayFile[];
    readonly labels: readonly DayFile[];
    readonly out: string;
  }
>;

/** Builds the aggregates of arrival days, each from its labels and the trailing events, as its `out`. */
export function buildDaily(recipe: DailyRecipe): Promise<(Built | Refused)[]> {
  return fitting(recipe, buildDailyTogether);
}

async function buildDailyTogether(recipe: DailyRecipe): Promise<(Built | Refused)[] | Refused> {
  const { sql, definition, items, limits = SQL_LIMITS } = recipe;
  const schema = hiddenSchema(sql);
  const result = `${schema}.result`;
  return withinMemory({ memory: limits.memory, about: () => daysOf(items) }, async (connection) => {
    const files = {
      events: items.flatMap(({ events }) => events),
      labels: items.flatMap(({ labels }) => labels),
      daily: [],
    };
    const tables = await preload(connection, definition, files, schema);
    const { path } = definition.features.daily;
    const sqlRefusal = inFile(path, await inspectSql(connection, sql, TABLES_OF.daily));
    await lockIn(
      connection,
      items.map(({ out }) => out),
    );
    return inTurn(items, async ({ day, events, labels, out }) => {
      const refusal =
        (await tables.put('events', events)) ??
        (await tables.put('labels', labels)) ??
        sqlRefusal ??
        inFile(path, await runSql(connection, sql, result, day, limits)) ??
        (await checkDaily(connection, result));
      if (refusal !== undefined) return refusal;
      return write(connection, `SELECT * FROM ${result} ORDER BY ALL`, out);
    });
  });
}

type FeaturesRecipe = Recipe<
  { readonly daily: string; readonly features: string },
  {
    readonly day: string;
    readonly events: readonly DayFile[];
    readonly daily: readonly DayFile[];
    readonly out: string;
  }
>;

/**
 * Builds the features of the events of some days, each from the trailing events and daily aggregates, as its `out`: the
 * id, the entity, the time and the features as 32-bit floats, which is what both training and scoring read, in the order
 * of the ids.
 */
export function buildFeatures(recipe: FeaturesRecipe): Promise<(Built | Refused)[]> {
  return fitting(recipe, buildFeaturesTogether);
}

async function buildFeaturesTogether(recipe: FeaturesRecipe): Promise<(Built | Refused)[] | Refused> {
  const { sql, definition, items, limits = SQL_LIMITS } = recipe;
  const { id, entity, time } = definition.events;
  const columns = definition.features.columns.map((column) => `CAST(${name(column)} AS FLOAT) AS ${name(column)}`);
  const selected = [...new Set([id, entity, time])].map(name).concat(columns).join(', ');
  const schema = hiddenSchema(sql.daily, sql.features);
  const result = `${schema}.result`;
  return withinMemory({ memory: limits.memory, about: () => daysOf(items) }, async (connection) => {
    const files = {
      events: items.flatMap(({ events }) => events),
      labels: [],
      daily: items.flatMap(({ daily }) => daily),
    };
    const tables = await preload(connection, definition, files, schema);
    const { path } = definition.features.features;
    const sqlRefusal = inFile(path, await inspectSql(connection, sql.features, TABLES_OF.features));
    await lockIn(
      connection,
      items.map(({ out }) => out),
    );
    return inTurn(items, async ({ day, events, daily, out }) => {
      const refusal =
        (await tables.put('events', events)) ??
        (await tables.put('daily', daily)) ??
        sqlRefusal ??
        (daily.length === 0
          ? inFile(definition.features.daily.path, await emptyDaily(connection, schema, sql.daily, tables))
          : undefined) ??
        inFile(path, await runSql(connection, sql.features, result, day, limits)) ??
        (await checkFeatures(connection, result, day, definition));
      if (refusal !== undefined) return refusal;
      return write(connection, `SELECT ${selected} FROM ${result} ORDER BY ${name(id)}`, out);
    });
  });
}

/**
 * Builds days together, and each by itself that does not fit beside the others: whether a day is refused depends on that
 * day alone.
 */
async function fitting<R extends { readonly items: readonly unknown[] }>(
  recipe: R,
  together: (recipe: R) => Promise<(Built | Refused)[] | Refused>,
): Promise<(Built | Refused)[]> {
  const found = await together(recipe);
  const results = Array.isArray(found) ? found : recipe.items.map(() => found);
  if (results.length < 2) return results;
  const fitted: (Built | Refused)[] = [];
  for (const [index, result] of results.entries()) {
    const again = result.kind === 'refused' && TOO_LARGE.has(result.refusal.rule);
    const items = recipe.items.slice(index, index + 1);
    fitted.push(...(again ? await fitting({ ...recipe, items }, together) : [result]));
  }
  return fitted;
}

const daysOf = (items: readonly { readonly day: string }[]): string =>
  `data of ${items.map(({ day }) => day).join(', ')}`;

/** Does the days of a batch one after the other; days are isolated. */
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

/** Writes the rows of a query as a new file. */
async function write(connection: DuckDBConnection, select: string, out: string): Promise<Built> {
  await rm(out, { force: true });
  const rows = await numberOf(connection, `COPY (${select}) TO ${literal(out)} (${PARQUET})`);
  return { kind: 'built', rows, sha256: digestOf(await readFile(out)) };
}

/** On the first day of history there is no aggregate, so the daily SQL over no rows says which columns it would have. */
export async function emptyDaily(
  connection: DuckDBConnection,
  schema: string,
  sql: string,
  tables: Preloaded,
): Promise<SqlRefusal | undefined> {
  const refusal = (await inspectSql(connection, sql, TABLES_OF.daily)) ?? (await tables.put('labels', []));
  if (refusal !== undefined) return refusal;
  try {
    const none = `${schema}.daily_none`;
    await connection.run(
      `CREATE OR REPLACE TABLE ${none} AS SELECT *, NULL::DATE AS "partition" FROM query(${literal(sql)}) LIMIT 0`,
    );
    await connection.run(`CREATE OR REPLACE VIEW daily AS FROM ${none}`);
    await connection.run('DROP VIEW labels');
    return undefined;
  } catch (error) {
    return doesNotRun(connection, sql, error);
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
): Promise<SqlRefusal | undefined> {
  await connection.run(`SET VARIABLE partition = DATE ${literal(day)}`);
  const found = await inLimits(connection, sql, limits, () =>
    connection.run(`CREATE OR REPLACE TABLE ${table} AS FROM query(${literal(sql)})`),
  );
  return 'rule' in found ? found : undefined;
}

/** What runs feature SQL, within its time; what the engine says against it becomes a refusal. */
export async function inLimits<T extends object>(
  connection: DuckDBConnection,
  sql: string,
  { milliseconds }: Pick<Limits, 'milliseconds'>,
  run: () => Promise<T>,
): Promise<T | SqlRefusal> {
  const alarm = setTimeout(() => connection.interrupt(), milliseconds);
  try {
    return await run();
  } catch (error) {
    const found = messageOf(error);
    if (found.startsWith('INTERRUPT')) {
      return {
        rule: 'feature-sql-in-time',
        found: `still running after ${String(milliseconds)} ms`,
        remedy: 'make the SQL cheaper or the partitions smaller',
      };
    }
    if (found.startsWith('Out of Memory')) {
      return { rule: 'feature-sql-fits-in-memory', found, remedy: 'make the SQL cheaper or the partitions smaller' };
    }
    return doesNotRun(connection, sql, error);
  } finally {
    clearTimeout(alarm);
  }
}

/** SQL that the engine cannot run. By itself it is bound once more, because within `query()` the engine knows no line of it. */
async function doesNotRun(connection: DuckDBConnection, sql: string, error: unknown): Promise<SqlRefusal> {
  const text = await connection.prepare(sql).then(
    () => '',
    (again: unknown) => (again instanceof Error ? again.message : ''),
  );
  const candidates = /^Candidate bindings: (.*)/m.exec(text)?.[1];
  const line = /^LINE (\d+):/m.exec(text)?.[1];
  const found = `${messageOf(error)}${candidates === undefined ? '' : ` There are ${candidates}.`}`;
  const refusal = { rule: 'feature-sql-runs' as const, found, remedy: 'correct the SQL' };
  return line === undefined ? refusal : { ...refusal, line: Number(line) };
}
