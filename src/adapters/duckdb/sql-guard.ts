import type { DuckDBConnection } from '@duckdb/node-api';
import type { Refusal } from '#domain/refusal/refusal.ts';
import { literal, rowsOf } from './database.ts';
import {
  BY_NAME,
  FUNCTIONS,
  INSTEAD,
  KINDS,
  ORDERED,
  OVER_LISTS,
  SESSION_NAMES,
  SORTS,
  TABLE_FUNCTIONS,
  TYPES,
} from './sql-allowed.ts';

/** What is wrong with a node, and what to write instead. */
interface Problem {
  readonly found: string;
  readonly remedy: string;
  /** Where it stands in the SQL, where the engine says. */
  readonly at?: unknown;
}

type Node = Readonly<Record<string, unknown>>;
/** The tables that a name may mean at a place in the SQL: those that are given, and the CTEs in scope there. */
type Scope = ReadonlySet<string>;

/** The tables that each of a model's SQL files sees. */
export const TABLES_OF = { daily: ['events', 'labels'], features: ['events', 'daily'] } as const;

/** A refusal of SQL, and the line in which its cause stands, where the engine says. */
export interface SqlRefusal extends Refusal {
  readonly line?: number;
}

/** A refusal of SQL with its file and line in what was found. */
export function inFile(file: string, refused: SqlRefusal | undefined): Refusal | undefined {
  if (refused === undefined) return undefined;
  const { line, found, ...refusal } = refused;
  return { ...refusal, found: `${file}${line === undefined ? '' : `:${line}`}: ${found}` };
}

/** The line of a place in SQL; the engine counts bytes, and says a number beyond all text where it knows no place. */
function lineAt(sql: string, at: unknown): { readonly line?: number } {
  const text = Buffer.from(sql);
  const place = Number(at ?? Number.NaN);
  return place <= text.length ? { line: text.subarray(0, place).toString().split('\n').length } : {};
}

/**
 * Inspects feature SQL before it runs: one SELECT over the given tables, of listed functions, so that SQL and inputs alone
 * determine its result (`sql-allowed.ts` says why for each kind). Each node of the parsed tree is checked, and a node of a
 * kind that is not listed is refused. Locking the engine down keeps SQL in; this says clearly what is not allowed, makes
 * results reproducible, and keeps SQL away from table functions that could bring down the process.
 */
export async function inspectSql(
  connection: DuckDBConnection,
  sql: string,
  tables: readonly string[],
): Promise<SqlRefusal | undefined> {
  const [row] = await rowsOf(connection, `SELECT json_serialize_sql(${literal(sql)}) AS tree`);
  const tree: unknown = JSON.parse(String(row?.['tree']));
  if (!isObject(tree) || tree['error'] !== false) {
    const message = isObject(tree) ? String(tree['error_message']) : 'unreadable';
    const at = isObject(tree) ? tree['position'] : undefined;
    return refusal(sql, { found: message, remedy: 'write one SELECT that DuckDB can parse', at });
  }
  const statements = listOf(tree['statements']);
  if (statements.length !== 1)
    return refusal(sql, { found: `${String(statements.length)} statements`, remedy: 'write exactly one SELECT' });
  const problem = inspect(statements[0], new Set(tables), tables);
  return problem === undefined ? undefined : refusal(sql, problem);
}

/** The first problem in a part of the tree, in whatever field it stands; the kinds of node are what decides. */
function inspect(part: unknown, scope: Scope, tables: readonly string[]): Problem | undefined {
  const problem = inspectPart(part, scope, tables);
  // What has no place of its own stands where the part does that it is in.
  return problem === undefined || problem.at !== undefined || !isObject(part)
    ? problem
    : { ...problem, at: part['query_location'] };
}

function inspectPart(part: unknown, scope: Scope, tables: readonly string[]): Problem | undefined {
  if (Array.isArray(part)) return firstOf(part, (item) => inspect(item, scope, tables));
  // A constant's value has a type and says whether it is null: nothing in it is a node.
  if (!isObject(part) || 'is_null' in part) return undefined;
  const kind = textOf(part['class']) || textOf(part['type']);
  if (kind === '') return inspect(Object.values(part), scope, tables);
  const problem = problemOf(kind, part, scope, tables);
  if (problem !== undefined) return problem;
  const { cte_map: ctes, cast_type: _type, ...rest } = withSortedList(part);
  const inner = declare(ctes, scope, tables);
  if ('found' in inner) return inner;
  if (kind !== 'RECURSIVE_CTE_NODE') return inspect(Object.values(rest), inner.scope, tables);
  // What a recursive CTE has so far is seen by its second half only.
  const { right, ...others } = rest;
  const own = new Set([...inner.scope, nameIn(part['cte_name'])]);
  return inspect(Object.values(others), inner.scope, tables) ?? inspect(right, own, tables);
}

/** The parser makes `list_sort(list(x))` of `list(x ORDER BY x)`: what is sorted afterwards has its order. */
function withSortedList(node: Node): Node {
  const [list, ...more] = listOf(node['children']);
  if (!SORTS.has(nameIn(node['function_name'])) || !isObject(list) || list['class'] !== 'FUNCTION') return node;
  if (!['array_agg', 'list'].includes(nameIn(list['function_name']))) return node;
  return { ...node, children: [{ ...list, order_bys: { orders: listOf(list['children']) } }, ...more] };
}

/** The scope below a node that may have CTEs: each sees those before it, and all are seen by the node, nowhere else. */
function declare(ctes: unknown, scope: Scope, tables: readonly string[]): { readonly scope: Scope } | Problem {
  let inner = scope;
  for (const entry of listOf(isObject(ctes) ? ctes['map'] : undefined)) {
    if (!isObject(entry)) return { found: 'a common table that cannot be read', remedy: 'write it as a subquery' };
    const problem = inspect(entry['value'], inner, tables);
    if (problem !== undefined) return problem;
    inner = new Set([...inner, nameIn(entry['key'])]);
  }
  return { scope: inner };
}

function problemOf(kind: string, node: Node, scope: Scope, tables: readonly string[]): Problem | undefined {
  if (!KINDS.has(kind)) return unknownKind(kind, tables);
  if (node['sample'] !== null && node['sample'] !== undefined) {
    return {
      found: 'a random sample',
      remedy: 'choose rows by their values, such as WHERE md5_number_lower(id) % 10 = 0',
    };
  }
  switch (kind) {
    case 'BASE_TABLE':
      return problemOfTable(node, scope, tables);
    case 'TABLE_FUNCTION': {
      const called = isObject(node['function']) ? nameIn(node['function']['function_name']) : '';
      if (TABLE_FUNCTIONS.has(called)) return undefined;
      const remedy = `read the tables ${tables.join(', ')}, or make rows by ${[...TABLE_FUNCTIONS].join(', ')}`;
      return { found: `table function ${called}`, remedy };
    }
    case 'COLUMN_REF': {
      const [column, ...more] = listOf(node['column_names']).map(nameIn);
      if (more.length > 0 || column === undefined || !SESSION_NAMES.has(column)) return undefined;
      const remedy = `use ${INSTEAD[column] ?? 'values of the tables'}; for a column, name its table as well, as in events.${column}`;
      return { found: column, remedy };
    }
    case 'FUNCTION':
    case 'WINDOW':
      return problemOfCall(node) ?? problemOfOrder(kind, node);
    case 'CAST':
      return problemOfType(node['cast_type']);
    case 'JOIN':
      return node['ref_type'] === 'POSITIONAL'
        ? { found: 'POSITIONAL JOIN', remedy: 'join on columns: the position of a row is an accident' }
        : undefined;
    case 'PIVOT':
      return listOf(node['pivots']).some((pivot) => isObject(pivot) && textOf(pivot['pivot_enum']) !== '')
        ? { found: 'PIVOT by the name of a type', remedy: 'write the values in brackets: IN (...)' }
        : undefined;
    case 'RECURSIVE_CTE_NODE':
      return listOf(node['key_targets']).length > 0
        ? { found: 'USING KEY', remedy: 'write a recursive CTE without it: which row replaces another is an accident' }
        : undefined;
    case 'SELECT_NODE':
    case 'SET_OPERATION_NODE':
      return problemOfModifiers(listOf(node['modifiers']).filter(isObject));
    default:
      return undefined;
  }
}

function problemOfTable(node: Node, scope: Scope, tables: readonly string[]): Problem | undefined {
  const path = [node['catalog_name'], node['schema_name'], node['table_name']]
    .map(textOf)
    .filter((part) => part !== '');
  if (path.length === 1 && scope.has(nameIn(path[0])) && node['at_clause'] === null) return undefined;
  const remedy = `read the tables ${tables.join(', ')}, or a CTE where it is in scope: below the SELECT whose WITH names it`;
  return { found: `table ${path.join('.')}`, remedy };
}

/** Whether a function may be called, and as it is called. */
function problemOfCall(node: Node): Problem | undefined {
  const called = nameIn(node['function_name']);
  const [first, second] = listOf(node['children']);
  const count = listOf(node['children']).length;
  const schema = [node['catalog'], node['schema']]
    .map(textOf)
    .filter((part) => part !== '')
    .join('.');
  if (schema !== '' && schema !== 'main') {
    // `x.f(y)` may mean f(x, y), and then its arguments are other than they look.
    return { found: `function ${schema}.${called}`, remedy: `write it without a dot: ${called}(${schema}, ...)` };
  }
  if (!FUNCTIONS.has(called) || (called === 'age' && count !== 2)) {
    const remedy =
      INSTEAD[called] ?? 'a function of the values in its arguments, as src/adapters/duckdb/sql-allowed.ts lists them';
    return { found: `function ${called}${called === 'age' ? ' with one moment' : ''}`, remedy: `use ${remedy}` };
  }
  if (node['export_state'] === true) return { found: `EXPORT_STATE of ${called}`, remedy: 'aggregate to a value' };
  if (called === 'getvariable' && (count !== 1 || textIn(first) !== 'partition'))
    return { found: 'a variable other than partition', remedy: "use getvariable('partition')" };
  if (BY_NAME.has(called) && !OVER_LISTS.has(textIn(second).toLowerCase())) {
    const remedy = `name an aggregate that is allowed, as in ${called}(x, 'sum')`;
    return { found: `function ${called} of ${textIn(second) || 'a name that is computed'}`, remedy };
  }
  return undefined;
}

/** Whether the order of rows is given where it makes the result. */
function problemOfOrder(kind: string, node: Node): Problem | undefined {
  const called = nameIn(node['function_name']);
  const within = isObject(node['order_bys']) ? listOf(node['order_bys']['orders']) : listOf(node['arg_orders']);
  if (within.length > 0 || listOf(node['orders']).length > 0) return undefined;
  if (ORDERED.has(called)) {
    const place = kind === 'WINDOW' ? `${called}(...) OVER (ORDER BY ...)` : `${called}(x ORDER BY ...)`;
    return { found: `function ${called} without an order`, remedy: `write ${place}` };
  }
  const rows = [node['start'], node['end']].some((bound) => textOf(bound).endsWith('_ROWS'));
  return rows ? { found: `a frame of rows without an order`, remedy: 'write OVER (ORDER BY ... ROWS ...)' } : undefined;
}

/** Whether rows are chosen by an order that is given. */
function problemOfModifiers(modifiers: readonly Node[]): Problem | undefined {
  if (modifiers.some(({ type }) => type === 'ORDER_MODIFIER')) return undefined;
  const chosen = modifiers.find(
    ({ type, distinct_on_targets: targets }) => textOf(type).startsWith('LIMIT') || listOf(targets).length > 0,
  );
  if (chosen === undefined) return undefined;
  const what = chosen['type'] === 'DISTINCT_MODIFIER' ? 'DISTINCT ON' : 'LIMIT or OFFSET';
  return { found: `${what} without ORDER BY`, remedy: 'add ORDER BY: which rows remain is an accident otherwise' };
}

/** Types by name could be anybody's; structs, lists and maps are looked into. */
function problemOfType(type: unknown): Problem | undefined {
  if (Array.isArray(type)) return firstOf(type, problemOfType);
  if (!isObject(type)) return undefined;
  const info = isObject(type['type_info']) ? type['type_info'] : {};
  const id = textOf(type['id']);
  const json = id === 'UNBOUND' && nameIn(info['name']) === 'json' && textOf(info['schema']) === '';
  if (id !== '' && !TYPES.has(id) && !json) {
    const found = `type ${textOf(info['name']) || id}`;
    return { found, remedy: `cast to one of ${[...TYPES].join(', ')}, JSON` };
  }
  return firstOf(Object.values(type), problemOfType);
}

function unknownKind(kind: string, tables: readonly string[]): Problem {
  switch (kind) {
    case 'SHOW_REF':
      return { found: 'DESCRIBE, SHOW or SUMMARIZE', remedy: `read the tables ${tables.join(', ')}` };
    case 'PARAMETER':
      return { found: 'a parameter', remedy: "write the value, or getvariable('partition')" };
    case 'COLLATE':
      return { found: 'COLLATE', remedy: 'compare lower(x) or strip_accents(x)' };
    default:
      return {
        found: `${kind}, which the guard does not know`,
        remedy: 'write it with joins, subqueries and functions',
      };
  }
}

function firstOf(items: readonly unknown[], of: (item: unknown) => Problem | undefined): Problem | undefined {
  for (const item of items) {
    const problem = of(item);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** The text of a constant that is one. */
function textIn(node: unknown): string {
  const value = isObject(node) && node['class'] === 'CONSTANT' ? node['value'] : undefined;
  return isObject(value) ? textOf(value['value']) : '';
}

export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** A name as the engine compares it: only ASCII letters lose their case, or a CTE could pass for a table that it is not. */
export function nameIn(value: unknown): string {
  return textOf(value).replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

export function isObject(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function refusal(sql: string, { at, ...problem }: Problem): SqlRefusal {
  return { rule: 'feature-sql-allowed', ...problem, ...lineAt(sql, at) };
}
