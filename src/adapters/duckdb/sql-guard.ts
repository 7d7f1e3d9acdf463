import type { DuckDBConnection } from '@duckdb/node-api';
import type { Refusal } from '#domain/error.ts';
import { literal, rowsOf } from './database.ts';

/** Table functions that make rows out of nothing but their arguments. All others read something or change the engine. */
const TABLE_FUNCTIONS = new Set(['range', 'generate_series', 'unnest']);
/** Names that SQL resolves to the clock or the session when no column has them. */
const CLOCKS = new Set([
  'current_timestamp',
  'current_date',
  'current_time',
  'localtimestamp',
  'localtime',
  'current_user',
  'session_user',
  'user',
]);
/** Consistent by DuckDB's word, but they read settings, the environment (in some builds), tables by name, or run text as SQL. */
const INDIRECT = ['current_setting', 'getenv', 'query', 'query_table', 'json_execute_serialized_sql'];

/** Asked once per process: it depends on the engine's version only. */
let forbidden: ReadonlySet<string> | undefined;

/**
 * Looks at feature SQL before it runs: one SELECT over the given tables, without functions that read files, settings,
 * the clock or chance. Locking the engine down keeps SQL in; this says clearly what is not allowed, makes results
 * reproducible, and keeps SQL away from table functions that could bring down the process.
 */
export async function inspectSql(
  connection: DuckDBConnection,
  sql: string,
  tables: readonly string[],
): Promise<Refusal | undefined> {
  const [row] = await rowsOf(connection, `SELECT json_serialize_sql(${literal(sql)}) AS tree`);
  const tree: unknown = JSON.parse(String(row?.['tree']));
  if (!isObject(tree) || tree['error'] !== false) {
    const message = isObject(tree) ? String(tree['error_message']) : 'unreadable';
    return refusal(message, 'write one SELECT that DuckDB can parse');
  }
  const statements = tree['statements'];
  if (!Array.isArray(statements) || statements.length !== 1) {
    return refusal(
      `${String(Array.isArray(statements) ? statements.length : 0)} statements`,
      'write exactly one SELECT',
    );
  }
  const nodes = [...walk(statements)];
  const known = new Set([...tables, ...nodes.flatMap(commonTables)]);
  forbidden ??= await forbiddenFunctions(connection);
  for (const node of nodes) {
    const found = problemOf(node, known, forbidden);
    if (found !== undefined)
      return refusal(found, `use the tables ${tables.join(', ')} and functions of their values only`);
  }
  return undefined;
}

function problemOf(node: Node, tables: ReadonlySet<string>, forbidden: ReadonlySet<string>): string | undefined {
  const called = nameIn(node['function_name']);
  if (node['type'] === 'TABLE_FUNCTION') {
    const called = isObject(node['function']) ? nameIn(node['function']['function_name']) : '';
    return TABLE_FUNCTIONS.has(called) ? undefined : `table function ${called}`;
  }
  if (node['type'] === 'BASE_TABLE') {
    const table = String(node['table_name']);
    const qualified = node['schema_name'] !== '' || node['catalog_name'] !== '';
    return qualified || !tables.has(table.toLowerCase()) ? `table ${table}` : samplingOf(node);
  }
  if (node['type'] === 'SHOW_REF') return 'DESCRIBE, SHOW or SUMMARIZE';
  if (node['type'] === 'COLUMN_REF' && Array.isArray(node['column_names'])) {
    const column = String(node['column_names'].at(-1)).toLowerCase();
    return CLOCKS.has(column) ? column : undefined;
  }
  if (called !== '' && forbidden.has(called)) return `function ${called}`;
  return samplingOf(node);
}

function samplingOf(node: Node): string | undefined {
  return isObject(node['sample']) ? 'a random sample' : undefined;
}

/** The engine's own word on which functions are not a function of their arguments, and the macros that use them. */
async function forbiddenFunctions(connection: DuckDBConnection): Promise<Set<string>> {
  const rows = await rowsOf(
    connection,
    `SELECT DISTINCT lower(function_name) AS name, lower(coalesce(macro_definition, '')) AS macro,
            coalesce(stability, 'CONSISTENT') <> 'CONSISTENT' AS unstable
     FROM duckdb_functions() ORDER BY ALL`,
  );
  const unstable = [...INDIRECT, ...rows.filter((row) => row['unstable'] === true).map((row) => String(row['name']))];
  const words = new RegExp(
    `\\b(from|${[...CLOCKS, ...unstable].map((name) => name.replaceAll(/\W/g, '\\$&')).join('|')})\\b`,
  );
  const macros = rows.filter((row) => words.test(String(row['macro']))).map((row) => String(row['name']));
  return new Set([...unstable, ...macros]);
}

type Node = Readonly<Record<string, unknown>>;

function* walk(value: unknown): Generator<Node> {
  if (Array.isArray(value)) for (const item of value) yield* walk(item);
  if (!isObject(value)) return;
  yield value;
  yield* walk(Object.values(value));
}

function commonTables(node: Node): string[] {
  const map = isObject(node['cte_map']) ? node['cte_map']['map'] : undefined;
  if (!Array.isArray(map)) return [];
  return map
    .filter(isObject)
    .map((entry) => String(entry['key']).toLowerCase())
    .filter((key) => /^\w+$/.test(key));
}

function nameIn(value: unknown): string {
  return typeof value === 'string' ? value.toLowerCase() : '';
}

function isObject(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function refusal(found: string, remedy: string): Refusal {
  return { rule: 'feature SQL is one SELECT over its tables', found, remedy };
}
