import {
  type DuckDBAppender,
  type DuckDBConnection,
  DuckDBDateValue,
  type DuckDBPreparedStatement,
  DuckDBTimestampValue,
} from '@duckdb/node-api';
import { ENDPOINT_ENGINE_MEMORY } from '#domain/data/engine-limits.ts';
import { addDays } from '#domain/data/partition.ts';
import { type ColumnType, type ModelDefinition, typeOf } from '#domain/model/definition.ts';
import type { Refusal } from '#domain/refusal/refusal.ts';
import type { DayFile } from '#ports/feature-engine.ts';
import type { OnlineFeatureEngine, OnlineFeatures, RequestFeatures } from '#ports/online-features.ts';
import { type Database, doesNotFit, isOutOfMemory, literal, name, openDatabase } from './database.ts';
import { checkFeatures, GREATEST } from './feature-checks.ts';
import { emptyDaily, inLimits, type Limits, lockIn, runSql } from './featurizer.ts';
import { foldSql } from './folded-sql.ts';
import { createTable } from './inputs.ts';
import { hiddenSchema, type Preloaded, preload } from './preloaded.ts';
import { requestRows, type RequestRows, type Stored } from './request-rows.ts';
import { inFile, inspectSql, type SqlRefusal, TABLES_OF } from './sql-guard.ts';

type Recipe = Parameters<OnlineFeatureEngine['open']>[0];

/** What a request may use up: API Gateway waits for 29 seconds. */
const REQUEST_LIMITS: Limits = { milliseconds: 10_000, memory: ENDPOINT_ENGINE_MEMORY };

/** Some aggregates in an engine of their own. */
interface Loaded {
  readonly until: string | null;
  featuresOf(rows: RequestRows): Promise<RequestFeatures>;
  close(): void;
}

/** Features on request over DuckDB: the same tables, guard and limits as in batch, in an engine that stays open. */
export const onlineFeatures: OnlineFeatureEngine = { open: (recipe) => openOnline(recipe) };

/** Opens a recipe; `isFolded` false runs its SQL as it is written, for who measures what folding is worth. */
export async function openOnline(recipe: Recipe, isFolded = true): Promise<OnlineFeatures> {
  const { definition } = recipe;
  let loaded = await loadAggregates(recipe, isFolded);
  let turn: Promise<unknown> = Promise.resolve();
  // One connection has one transaction: who comes meanwhile waits.
  const inTurn = <T>(work: () => T | Promise<T>): Promise<T> => {
    const mine = turn.then(work);
    turn = mine.catch(() => undefined);
    return mine;
  };
  return {
    get until() {
      return loaded.until;
    },
    async featuresOf(request) {
      const rows = requestRows(definition, request);
      return rows.kind === 'refused' ? rows : inTurn(() => loaded.featuresOf(rows));
    },
    async load(daily) {
      const next = await loadAggregates({ ...recipe, daily }, isFolded);
      await inTurn(() => {
        loaded.close();
        loaded = next;
      });
    },
    close: () => inTurn(() => loaded.close()),
  };
}

/**
 * Loads aggregates into a fresh engine, because one that is locked in reads no file any more, and prepares the day after the newest.
 * The requests of a day share a plan; another day's replaces it.
 */
async function loadAggregates({ definition, sql, daily }: Recipe, isFolded: boolean): Promise<Loaded> {
  const database = await openDatabase(ENDPOINT_ENGINE_MEMORY);
  try {
    const { connection } = database;
    const schema = hiddenSchema(sql.daily, sql.features);
    const tables = await preload(connection, definition, { events: [], labels: [], daily }, schema);
    const engine: Engine = { database, tables, schema, definition, sql, daily, isFolded };
    const refusal = inFile(
      definition.features.features.path,
      await inspectSql(connection, sql.features, TABLES_OF.features),
    );
    await lockIn(connection, []);
    await createTable(connection, 'events', definition.events.columns);
    const until =
      daily
        .map(({ day }) => day)
        .toSorted()
        .at(-1) ?? null;
    let plan = until === null || refusal !== undefined ? undefined : await planOf(engine, addDays(until, 1));
    return {
      until,
      async featuresOf(rows) {
        const why = refusal ?? unreached(definition, daily, until, rows.day);
        if (why !== undefined) return { kind: 'refused', refusal: why };
        if (plan?.day !== rows.day) plan = await planOf(engine, rows.day);
        return 'refusal' in plan ? { kind: 'refused', refusal: plan.refusal } : answer(engine, plan, rows);
      },
      close: () => database.close(),
    };
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Why the loaded aggregates are not those of a day, or undefined. */
function unreached(
  { features, online }: ModelDefinition,
  daily: readonly DayFile[],
  until: string | null,
  day: string,
): Refusal | undefined {
  if (features.aggregateDays === 0) return undefined;
  const rule = 'aggregates-reach-day';
  if (until === null)
    return { rule, found: 'no aggregates are loaded', remedy: 'wait for the first batch run of the model' };
  const most = online?.maxAggregateAgeDays ?? 0;
  if (addDays(until, most) < day) {
    const found = `aggregates reach ${until}, and the events are of ${day}`;
    return { rule, found, remedy: `wait for batch inference: they may be ${most} days old` };
  }
  const first = addDays(day, -features.aggregateDays);
  // What is missing at the front may never have been there, but only of the day that the list was made for.
  if (day > until || daily.some((each) => each.day <= first)) return undefined;
  const found = `aggregates of ${first} are not loaded, which events of ${day} need`;
  return { rule, found, remedy: 'ask for the predictions of batch inference, which has events of this day' };
}

interface Engine extends Omit<Recipe, 'definition'> {
  readonly database: Database;
  readonly tables: Preloaded;
  readonly schema: string;
  readonly definition: ModelDefinition;
  readonly isFolded: boolean;
}

/** How the requests of a day are answered, or why none is. */
type Plan =
  | { readonly day: string; readonly statement: DuckDBPreparedStatement; readonly sql: string }
  | { readonly day: string; readonly refusal: Refusal };

async function planOf(engine: Engine, day: string): Promise<Plan> {
  const { definition, schema, sql, tables, daily } = engine;
  const { connection } = engine.database;
  const { path } = definition.features.features;
  const result = `${schema}.result`;
  const wanted = daily.filter((each) => each.day < day && each.day >= addDays(day, -definition.features.aggregateDays));
  const refusal =
    (await tables.put('daily', wanted)) ??
    (wanted.length === 0
      ? inFile(definition.features.daily.path, await emptyDaily(connection, schema, sql.daily, tables))
      : undefined) ??
    inFile(path, await runSql(connection, sql.features, result, day, REQUEST_LIMITS)) ??
    (await checkFeatures(connection, result, day, definition));
  if (refusal !== undefined) return { day, refusal };
  const statement = async (text: string): Promise<Plan> => ({
    day,
    sql: text,
    statement: await prepared(connection, definition, text),
  });
  if (!engine.isFolded) return statement(sql.features);
  // As it is written, SQL was run above.
  return statement(await refolded(engine)).catch(() => statement(sql.features));
}

/** The folded SQL of the day that is set; the tables of the day before it are gone. */
async function refolded({ database: { connection }, schema, sql }: Engine): Promise<string> {
  const own = `${schema}_day`;
  await connection.run(`DROP SCHEMA IF EXISTS ${own} CASCADE`);
  await connection.run(`CREATE SCHEMA ${own}`);
  return (await foldSql(connection, sql.features, own)).sql;
}

/**
 * The statement that answers a request: by the text of its id, whether a row is of an event, which feature is no finite number, and
 * the features as batch keeps them.
 */
async function prepared(
  connection: DuckDBConnection,
  { events, features }: ModelDefinition,
  sql: string,
): Promise<DuckDBPreparedStatement> {
  const same = [...new Set([events.id, events.entity, events.time])]
    .map((column) => `made.${name(column)} IS NOT DISTINCT FROM events.${name(column)}`)
    .join(' AND ');
  const beyond = features.columns
    .map((column) => `WHEN abs(made.${name(column)}::DOUBLE) > ${String(GREATEST)} THEN ${literal(column)}`)
    .join(' ');
  const columns = features.columns.map((column) => `TRY_CAST(made.${name(column)} AS FLOAT)`).join(', ');
  const text = `
    WITH made AS MATERIALIZED (FROM query(${literal(sql)}))
    SELECT CAST(made.${name(events.id)} AS VARCHAR), events.${name(events.id)} IS NOT NULL, CASE ${beyond} END, ${columns}
    FROM made LEFT JOIN events ON ${same}`;
  // A plan that was made for a table without rows may be one that expects none: the engine makes none such of a table whose rows
  // are not committed yet.
  await connection.run('BEGIN');
  try {
    await connection.run(`INSERT INTO events (${name(events.id)}) VALUES (NULL)`);
    return await connection.prepare(text);
  } finally {
    await connection.run('ROLLBACK');
  }
}

/** What the statement answered, by columns, which are read in half the time of rows; nothing where there are no rows. */
type Answered = readonly [
  ids: readonly string[],
  known: readonly boolean[],
  beyond: readonly (string | null)[],
  ...features: (readonly (number | null)[])[],
];

/** Answers one request. Its events are never committed, so that nothing of them stays. */
async function answer(
  { database: { connection }, definition }: Engine,
  { statement, sql }: Extract<Plan, { statement: unknown }>,
  rows: RequestRows,
): Promise<RequestFeatures> {
  await connection.run('BEGIN');
  try {
    await append(connection, definition, rows.rows);
    const found = await inLimits(connection, sql, REQUEST_LIMITS, () => statement.runAndReadAll());
    if ('rule' in found) return refused(inFile(definition.features.features.path, found) ?? found);
    return inOrder(definition, rows, found.getColumnsJS() as unknown as Partial<Answered>);
  } catch (error) {
    if (!isOutOfMemory(error)) throw error;
    return refused(doesNotFit('the events of a request', REQUEST_LIMITS.memory));
  } finally {
    await connection.run('ROLLBACK');
  }
}

/** Puts events into their table within the transaction, where nothing is left of them. */
async function append(
  connection: DuckDBConnection,
  { events }: ModelDefinition,
  rows: readonly (readonly Stored[])[],
): Promise<void> {
  const types = Object.values(events.columns).map((column) => typeOf(column));
  const appender = await connection.createAppender('events');
  for (const row of rows) {
    for (const [index, type] of types.entries()) appendValue(appender, type, row[index] ?? null);
    appender.endRow();
  }
  appender.closeSync();
}

function appendValue(appender: DuckDBAppender, type: ColumnType, value: Stored): void {
  if (value === null) return appender.appendNull();
  switch (type) {
    case 'VARCHAR':
      return appender.appendVarchar(value as string);
    case 'TIMESTAMP':
      return appender.appendTimestamp(new DuckDBTimestampValue(value as bigint));
    case 'DATE':
      return appender.appendDate(new DuckDBDateValue(value as number));
    case 'BOOLEAN':
      return appender.appendBoolean(value as boolean);
    case 'INTEGER':
      return appender.appendInteger(value as number);
    case 'BIGINT':
      return appender.appendBigInt(value as bigint);
    case 'DOUBLE':
      return appender.appendDouble(value as number);
  }
}

/** The features of the requested events, in their order, if there is one row for each event of the day. */
function inOrder(
  { events }: ModelDefinition,
  rows: RequestRows,
  [ids = [], known = [], beyond = [], ...columns]: Partial<Answered>,
): RequestFeatures {
  const byId = new Map(ids.map((id, row) => [id, row]));
  const unknown = known.filter((each) => !each).length;
  if (ids.length !== rows.ofDay || byId.size !== rows.ofDay || unknown > 0) {
    const found = `${ids.length} rows of ${byId.size} ids, ${unknown} of them of no event, for ${rows.ofDay} events on ${rows.day}`;
    const remedy = `keep exactly the events of getvariable('partition'), with ${events.id}, ${events.entity} and ${events.time} unchanged`;
    return refused({ rule: 'one-feature-row-per-event', found, remedy });
  }
  const result: (readonly (number | null)[])[] = [];
  for (const id of rows.asked) {
    const row = byId.get(id);
    if (row === undefined) throw new Error(`no features of ${events.id} ${id}`);
    const column = beyond[row] ?? null;
    if (column !== null) {
      const found = `${column} of ${events.id} ${id}`;
      return refused({ rule: 'features-finite', found, remedy: 'give NULL where a feature has no value' });
    }
    result.push(columns.map((values) => values?.[row] ?? null));
  }
  return { kind: 'features', rows: result };
}

function refused(refusal: Refusal | SqlRefusal): Extract<RequestFeatures, { kind: 'refused' }> {
  return { kind: 'refused', refusal };
}
