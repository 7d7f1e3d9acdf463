import { access } from 'node:fs/promises';
import { basename } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import type { Refusal } from '#domain/refusal/refusal.ts';
import {
  type ColumnType,
  type EventColumn,
  type LaterColumn,
  type ModelDefinition,
  typeOf,
} from '#domain/model/definition.ts';
import { doesNotFit, isOutOfMemory, fileLiteral, literal, messageOf, name, numberOf, rowsOf } from './database.ts';
import type { DayFile } from '#ports/feature-engine.ts';

const WHOLE = ['TINYINT', 'SMALLINT', 'INTEGER', 'UTINYINT', 'USMALLINT'];
/**
 * The Parquet types that are read as a declared type without losing anything but a timestamp's nanoseconds; one with a
 * time zone is an instant, and becomes its UTC time.
 */
const READABLE: Readonly<Record<ColumnType, readonly string[]>> = {
  VARCHAR: ['VARCHAR'],
  TIMESTAMP: ['TIMESTAMP', 'TIMESTAMP_S', 'TIMESTAMP_MS', 'TIMESTAMP_NS', 'TIMESTAMP WITH TIME ZONE'],
  DATE: ['DATE'],
  BOOLEAN: ['BOOLEAN'],
  INTEGER: WHOLE,
  BIGINT: [...WHOLE, 'BIGINT', 'UINTEGER'],
  DOUBLE: [...WHOLE, 'FLOAT', 'DOUBLE'],
};

/** The type of a column that a writer saw no value of: it is null in any type. */
export const NO_TYPE = 'NULL';

/** Columns as they are declared. */
export type Columns = Readonly<Record<string, EventColumn>>;

/** A column of a file: its name as it stands there, and its type as the engine reads it. */
export interface Column {
  readonly column: string;
  readonly type: string;
}

/**
 * Loads event files into a table: the declared columns only, each row within the day of its partition. A column that is declared
 * since a later day reads as its default in each file that lacks it.
 */
export function loadEvents(
  connection: DuckDBConnection,
  { events }: Pick<ModelDefinition, 'events'>,
  files: readonly DayFile[],
  table = 'events',
): Promise<Refusal | undefined> {
  return load(connection, table, events.columns, files, { time: events.time, required: [events.id, events.time] });
}

/** Loads label files into a table: the declared columns only, each row within the day on which it arrived. */
export function loadLabels(
  connection: DuckDBConnection,
  { labels }: Pick<ModelDefinition, 'labels'>,
  files: readonly DayFile[],
  table = 'labels',
): Promise<Refusal | undefined> {
  const { join, value, arrivedAt } = labels;
  return load(connection, table, labels.columns, files, { time: arrivedAt, required: [join, value, arrivedAt] });
}

interface Rules {
  readonly time: string;
  readonly required: readonly string[];
}

async function load(
  connection: DuckDBConnection,
  table: string,
  columns: Columns,
  files: readonly DayFile[],
  rules: Rules,
): Promise<Refusal | undefined> {
  await createTable(connection, table, columns);
  for (const input of files) {
    const what = describeFile(table, input);
    // Looked through by itself: what DuckDB numbers rows by may be the name of a column.
    const own = files.length === 1 ? table : 'file_rows';
    if (own !== table) await createTable(connection, own, columns);
    const refusal =
      (await insert(connection, own, columns, input, what)) ?? (await checkRows(connection, own, input, what, rules));
    if (refusal !== undefined) return refusal;
    if (own !== table) await connection.run(`INSERT INTO ${table} FROM ${own}`);
  }
  if (files.length > 1) await connection.run('DROP TABLE file_rows');
  return undefined;
}

/** Makes an empty table of declared columns, in place of one of the same name. */
export async function createTable(connection: DuckDBConnection, table: string, columns: Columns): Promise<void> {
  const typed = Object.entries(columns).map(([column, type]) => `${name(column)} ${typeOf(type)}`);
  await connection.run(`CREATE OR REPLACE TABLE ${table} (${typed.join(', ')})`);
}

async function insert(
  connection: DuckDBConnection,
  table: string,
  columns: Columns,
  { day, file }: DayFile,
  what: string,
): Promise<Refusal | undefined> {
  const described = await describe(connection, file, what);
  if (!Array.isArray(described)) return described;
  const refusal = checkSchema(described, columns, what, day);
  if (refusal !== undefined) return refusal;
  try {
    await connection.run(`INSERT INTO ${table} SELECT ${selectDeclared(described, columns)} FROM ${source(file)}`);
    return undefined;
  } catch (error) {
    return isOutOfMemory(error) ? tooLarge(connection, what, file) : corrupt(what, error);
  }
}

/** The declared columns of a file in the declared types, as a list to select; its schema was checked. */
export function selectDeclared(described: readonly Column[], columns: Columns): string {
  const types = new Map(described.map(({ column, type }) => [column, type]));
  return Object.entries(columns)
    .map(([column, declared]) => {
      const found = types.get(column);
      const isLater = typeof declared === 'object' && found === undefined;
      return `${isLater ? defaultOf(declared) : typed(column, found, typeOf(declared))} AS ${name(column)}`;
    })
    .join(', ');
}

/** What a column reads as before it is there. From text, so that a number is the nearest of its type, as in any file. */
function defaultOf({ type, default: value }: LaterColumn): string {
  return `CAST(${value === null ? 'NULL' : literal(String(value))} AS ${type})`;
}

/** A column of a file in another type; what is not there, or has no value, is null in it. */
export function typed(column: string, found: string | undefined, type: string): string {
  return `CAST(${found === undefined || found === NO_TYPE ? 'NULL' : name(column)} AS ${type})`;
}

/** Looks through the rows of a file: nothing is null that must not be, and each is of the file's day. */
async function checkRows(
  connection: DuckDBConnection,
  table: string,
  { day }: DayFile,
  what: string,
  { time, required }: Rules,
): Promise<Refusal | undefined> {
  const missing = required.map((column) => `${name(column)} IS NULL`).join(' OR ');
  const [wrong = {}] = await rowsOf(
    connection,
    `SELECT count(*) FILTER (${missing}) AS missing, count(*) FILTER (CAST(${name(time)} AS DATE) <> DATE ${literal(day)}) AS outside
     FROM ${table}`,
  );
  const remedy = 'correct the partition at its source';
  if (Number(wrong['missing']) > 0) {
    const found = `${String(wrong['missing'])} rows of ${what} have a null in ${required.join(' or ')}`;
    return { rule: 'row-keys-present', found, remedy };
  }
  if (Number(wrong['outside']) === 0) return undefined;
  const found = `${String(wrong['outside'])} rows of ${what} have ${time} on another day (UTC)`;
  return { rule: 'rows-of-partition-day', found, remedy };
}

/** A file in words; tables that hold one file each are named after what the file is of. */
function describeFile(table: string, { day, file }: DayFile): string {
  const kind = table.replace(/^\w+\./, '').replace(/_\d+$/, '');
  return `${basename(file)} of ${kind} ${day}`;
}

/** A trusted reading of one Parquet file. */
export function source(file: string): string {
  return `read_parquet(${fileLiteral(file)}, hive_partitioning = false)`;
}

/** A trusted reading of some Parquet files of the same columns, one after the other. */
export function sources(files: readonly string[]): string {
  return `read_parquet([${files.map(fileLiteral).join(', ')}], hive_partitioning = false)`;
}

/**
 * A file's columns with their types, or a refusal if it is no readable Parquet, or has a name twice: the engine, which knows
 * no upper and lower case, reads the first and calls the other by a name that nobody gave. A file that is not there is a fault.
 */
export async function describe(connection: DuckDBConnection, file: string, what: string): Promise<Column[] | Refusal> {
  await access(file);
  try {
    const [root, ...written] = await rowsOf(
      connection,
      `SELECT name, num_children, logical_type, duckdb_type FROM parquet_schema(${fileLiteral(file)})`,
    );
    const columns: Column[] = [];
    for (let at = 0; columns.length < Number(root?.['num_children'] ?? 0) && at < written.length;) {
      const { name: column, logical_type: logical, duckdb_type: type } = written[at] ?? {};
      columns.push({ column: String(column), type: logical === 'NullType()' ? NO_TYPE : String(type) });
      // The columns of a nested one follow it, each with its own.
      for (let left = 1; left > 0; at++) left += Number(written[at]?.['num_children'] ?? 0) - 1;
    }
    // The schema does not say of which type a nested column is read.
    if (columns.some(({ type }) => type === 'null')) {
      const read = await rowsOf(connection, `DESCRIBE SELECT * FROM ${source(file)}`);
      for (const [at, { column, type }] of columns.entries())
        if (type === 'null') columns[at] = { column, type: String(read[at]?.['column_type']) };
    }
    return whyTwice(columns, what) ?? columns;
  } catch (error) {
    return corrupt(what, error);
  }
}

/** The refusal of a file that has a column twice, in one spelling or in two. */
function whyTwice(columns: readonly Column[], what: string): Refusal | undefined {
  const found = namedTwice(columns.map(({ column }) => column));
  return found.length === 0
    ? undefined
    : { rule: 'columns-unique', found: `${what}: ${found.join('; ')}`, remedy: 'write the partition again' };
}

/** Says which names are there more than once; upper and lower case are one, as they are to the engine. */
export function namedTwice(names: readonly string[]): string[] {
  return [...Map.groupBy(names, (each) => each.toLowerCase()).values()]
    .filter((same) => same.length > 1)
    .map((same) => `column ${same[0] ?? ''} is there ${same.length} times (${same.join(', ')})`);
}

/**
 * Whether a file has the declared columns in types that they can be read from. Where it is of a day, it may lack the columns that
 * are declared since a later one; in another spelling they are not lacking, but wrong.
 */
export function checkSchema(
  described: readonly Column[],
  columns: Columns,
  what: string,
  day?: string,
): Refusal | undefined {
  const types = new Map(described.map(({ column, type }) => [column, type]));
  const overdue: string[] = [];
  const problems = Object.entries(columns).flatMap(([column, declared]) => {
    const type = typeOf(declared);
    const found = types.get(column);
    if (found === undefined) {
      const alike = described.find((each) => each.column.toLowerCase() === column.toLowerCase());
      if (alike !== undefined) return [`column ${column} is missing, there is ${alike.column}`];
      if (typeof declared !== 'object') return [`column ${column} is missing`];
      if (day !== undefined && day < declared.since) return [];
      overdue.push(column);
      return [`column ${column} is missing, which is declared since ${declared.since}`];
    }
    return found === NO_TYPE || READABLE[type].includes(found)
      ? []
      : [`column ${column} is ${found}, declared ${type}`];
  });
  if (problems.length === 0) return undefined;
  return {
    rule: 'source-columns-declared',
    found: `${what}: ${problems.join('; ')}`,
    remedy:
      overdue.length === problems.length
        ? `write the partition with ${overdue.join(', ')}, or set since in model.ts to the first day that has it`
        : 'correct the partition, or the columns in model.ts',
  };
}

/** A file whose rows do not fit into what is left of the engine's memory, as a refusal. */
export async function tooLarge(connection: DuckDBConnection, what: string, file: string): Promise<Refusal> {
  const rows = await numberOf(connection, `SELECT count(*) FROM ${source(file)}`);
  const [limit = {}] = await rowsOf(connection, `SELECT current_setting('memory_limit') AS memory`);
  return doesNotFit(`${what}, ${rows} rows`, String(limit['memory']));
}

/** A file that cannot be read, as a refusal. */
export function corrupt(what: string, error: unknown): Refusal {
  return {
    rule: 'source-files-readable',
    // The path of the file while it was read says nothing, and differs each time.
    found: `${what}: ${messageOf(error).replaceAll(/'[^']*\//g, "'")}`,
    remedy: 'write the partition again',
  };
}
