import type { DuckDBConnection } from '@duckdb/node-api';
import { literal, rowsOf } from './database.ts';
import { isObject, listOf, nameIn, textOf } from './sql-guard.ts';

/*
 * Features SQL whose parts that read only `daily` were computed once: common tables, and the arms of UNION and its like in the
 * others. A part is replaced by `SELECT * FROM` a table of its rows, so that names and scopes stay as they were.
 *
 * The engine parses and prints SQL itself, and prints some of it otherwise than it was written. So what is printed is parsed again,
 * and must be the tree that was meant. Where that, or anything else, is not so, nothing is folded: SQL as it was written is right
 * always, and only slower.
 */

type Node = Readonly<Record<string, unknown>>;
/** What a name stands for: rows that are the same for each request of a day, or others. */
type Names = ReadonlyMap<string, 'fixed' | 'varying'>;
/** A common table, as the parser has it. */
interface CommonTable {
  readonly key: string;
  readonly value: Node;
}

/** Folds features SQL for the day that is set; `schema` is hidden from it. What cannot be folded is given back as it was. */
export async function foldSql(
  connection: DuckDBConnection,
  sql: string,
  schema: string,
): Promise<{ readonly sql: string; readonly tables: number }> {
  const folded = await fold(connection, sql, schema);
  return folded ?? { sql, tables: 0 };
}

async function fold(connection: DuckDBConnection, sql: string, schema: string) {
  const [tree, plain] = [await parse(connection, sql), await parse(connection, `FROM ${schema}.folded`)];
  const [whole, star] = [nodeOf(tree), nodeOf(plain)];
  const tables = isObject(whole?.['cte_map']) ? listOf(whole['cte_map']['map']).filter(isCommonTable) : [];
  if (whole === undefined || star === undefined || tables.length === 0) return undefined;
  const printed = async (node: Node): Promise<string | undefined> => print(connection, withNode(tree, node), star);
  const source = isObject(star['from_table']) ? star['from_table'] : {};
  let made = 0;
  /** A query whose result is put into a table, as one that reads this table. */
  const replaced = async (part: Node): Promise<Node | undefined> => {
    const text = await printed(part);
    // A column that is only NULL has no type, and a table would give it one.
    if (text === undefined || (await hasUntyped(connection, text))) return undefined;
    const table = `folded_${made}`;
    await connection.run(`CREATE TABLE ${schema}.${table} AS FROM query(${literal(text)})`);
    made += 1;
    return { ...star, from_table: { ...source, table_name: table } };
  };
  let names: Names = new Map([
    ['daily', 'fixed'],
    ['events', 'varying'],
  ]);
  const kinds = new Map<CommonTable, 'fixed' | 'varying'>();
  for (const table of tables) {
    const kind = kindOf(table.value, names);
    // A name that means one thing here and another there.
    if (kind === undefined || names.has(nameIn(table.key))) return undefined;
    kinds.set(table, kind);
    names = new Map([...names, [nameIn(table.key), kind]]);
  }
  const varying = tables.filter((table) => kinds.get(table) === 'varying').map(({ value }) => value);
  const { cte_map: _tables, ...main } = whole;
  const used = new Set([...varying, main].flatMap(tablesIn));
  const done: CommonTable[] = [];
  for (const table of tables) {
    const query = isObject(table.value['query']) ? table.value['query'] : {};
    const withQuery = (node: Node): CommonTable => ({ ...table, value: { ...table.value, query: { ...query, node } } });
    if (kinds.get(table) === 'fixed') {
      const from = { ...source, schema_name: '', table_name: table.key };
      const all = { ...star, cte_map: { map: [...done, table] }, from_table: from };
      const node = used.has(nameIn(table.key)) ? await replaced(all) : undefined;
      done.push(node === undefined ? table : withQuery(node));
      continue;
    }
    const node = isObject(query['node']) ? query['node'] : {};
    const arms = await foldArms(node, names, (arm) => {
      const own = isObject(arm['cte_map']) ? listOf(arm['cte_map']['map']) : [];
      return replaced({ ...arm, cte_map: { map: [...done, ...own] } });
    });
    done.push(withQuery(arms));
  }
  if (made === 0) return undefined;
  const text = await printed({ ...whole, cte_map: { map: done } });
  return text === undefined ? undefined : { sql: text, tables: made };
}

/** A set operation with the arms replaced that are the same for each request; another node as it is. */
async function foldArms(node: Node, names: Names, replaced: (arm: Node) => Promise<Node | undefined>): Promise<Node> {
  if (node['type'] !== 'SET_OPERATION_NODE') return node;
  const folded = async (arm: unknown): Promise<unknown> => {
    if (!isObject(arm)) return arm;
    if (arm['type'] === 'SELECT_NODE' && kindOf(arm, names) === 'fixed') return (await replaced(arm)) ?? arm;
    return foldArms(arm, names, replaced);
  };
  const entries: [string, unknown][] = [];
  for (const [key, value] of Object.entries(node)) {
    if (key === 'left' || key === 'right') entries.push([key, await folded(value)]);
    else if (key === 'children' && Array.isArray(value)) {
      const arms: unknown[] = [];
      for (const arm of value) arms.push(await folded(arm));
      entries.push([key, arms]);
    } else entries.push([key, value]);
  }
  return Object.fromEntries(entries);
}

/** Whether a part is the same for each request; undefined where a name of its own hides one from outside. */
function kindOf(part: unknown, names: Names): 'fixed' | 'varying' | undefined {
  const own = new Set(commonTablesIn(part));
  if ([...own].some((each) => names.has(each))) return undefined;
  const read = tablesIn(part).filter((each) => !own.has(each));
  // A name that nobody gave is the part's own: a recursive table reads itself.
  return read.length > 0 && read.every((each) => names.get(each) === 'fixed') ? 'fixed' : 'varying';
}

function tablesIn(part: unknown): string[] {
  if (Array.isArray(part)) return part.flatMap(tablesIn);
  if (!isObject(part)) return [];
  const own = part['type'] === 'BASE_TABLE' ? [nameIn(part['table_name'])] : [];
  return [...own, ...Object.values(part).flatMap(tablesIn)];
}

function commonTablesIn(part: unknown): string[] {
  if (Array.isArray(part)) return part.flatMap(commonTablesIn);
  if (!isObject(part)) return [];
  const map = isObject(part['cte_map']) ? listOf(part['cte_map']['map']) : [];
  const own = map.flatMap((entry) => (isObject(entry) ? [nameIn(entry['key'])] : []));
  return [...own, ...Object.values(part).flatMap(commonTablesIn)];
}

function isCommonTable(entry: unknown): entry is CommonTable & Node {
  return isObject(entry) && typeof entry['key'] === 'string' && isObject(entry['value']);
}

/** The tree of SQL, without the places of its nodes, which are greater than JavaScript's whole numbers. */
async function parse(connection: DuckDBConnection, sql: string): Promise<Node> {
  const [row] = await rowsOf(connection, `SELECT json_serialize_sql(${literal(sql)}) AS tree`);
  const text = withoutPlaces(String(row?.['tree']));
  const tree: unknown = JSON.parse(text);
  // A number of more digits than JavaScript has is another one here.
  return isObject(tree) && JSON.stringify(tree) === text ? tree : {};
}

/** Within a text of SQL, the quotes of such a name would be escaped. */
const withoutPlaces = (json: string): string => json.replaceAll(/"query_location":\d+/g, '"query_location":0');

/** A tree as SQL that is parsed to the same tree; undefined where it is not. */
async function print(connection: DuckDBConnection, tree: Node, star: Node): Promise<string | undefined> {
  const [row] = await rowsOf(connection, `SELECT json_deserialize_sql(${literal(JSON.stringify(tree))}) AS sql`);
  const sql = textOf(row?.['sql']);
  const again = await parse(connection, sql);
  return JSON.stringify(withoutWrappers(again, star)) === JSON.stringify(withoutWrappers(tree, star)) ? sql : undefined;
}

/** A tree in which `(SELECT * FROM (VALUES ...))`, as the engine prints a list of values, is the list. */
function withoutWrappers(part: unknown, star: Node): unknown {
  if (Array.isArray(part)) return part.map((each) => withoutWrappers(each, star));
  if (!isObject(part)) return part;
  const query = isObject(part['subquery']) ? part['subquery']['node'] : undefined;
  const list = part['type'] === 'SUBQUERY' && isObject(query) ? query['from_table'] : undefined;
  const isWrapped =
    isObject(list) &&
    list['type'] === 'EXPRESSION_LIST' &&
    list['alias'] === part['alias'] &&
    listOf(part['column_name_alias']).length === 0 &&
    JSON.stringify({ ...(query as Node), from_table: null }) === JSON.stringify({ ...star, from_table: null });
  if (isWrapped) return withoutWrappers(list, star);
  return Object.fromEntries(Object.entries(part).map(([key, value]) => [key, withoutWrappers(value, star)]));
}

async function hasUntyped(connection: DuckDBConnection, sql: string): Promise<boolean> {
  // The engine describes such a column as INTEGER, which is what a table would make of it. The one row is there without rows, too.
  const [types = {}] = await rowsOf(
    connection,
    `SELECT typeof(COLUMNS(part.*)) FROM (SELECT 1) AS one LEFT JOIN (FROM query(${literal(sql)})) AS part ON false`,
  );
  return Object.values(types).some((type) => String(type).includes('"NULL"'));
}

function nodeOf(tree: Node): Node | undefined {
  const [statement, ...others] = listOf(tree['statements']);
  return isObject(statement) && others.length === 0 && isObject(statement['node']) ? statement['node'] : undefined;
}

function withNode(tree: Node, node: Node): Node {
  return { ...tree, statements: listOf(tree['statements']).map((each) => (isObject(each) ? { ...each, node } : each)) };
}
