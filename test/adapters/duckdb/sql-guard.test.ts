import { globSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Row, rowsOf, withDatabase } from '#adapters/duckdb/database.ts';
import {
  BY_NAME,
  FUNCTIONS,
  INSTEAD,
  OVER_LISTS,
  SESSION_NAMES,
  TABLE_FUNCTIONS,
} from '#adapters/duckdb/sql-allowed.ts';
import { inspectSql } from '#adapters/duckdb/sql-guard.ts';
import type { Refusal } from '#domain/refusal/refusal.ts';
import { DAILY, FEATURES } from './_fixture.ts';
import { HOLES, simplest } from './_generated-sql.ts';

async function inspected(sqls: readonly string[], tables = ['events', 'labels']): Promise<(Refusal | undefined)[]> {
  return withDatabase('512MB', async (connection) => {
    const refusals: (Refusal | undefined)[] = [];
    for (const sql of sqls) refusals.push(await inspectSql(connection, sql, tables));
    return refusals;
  });
}

/** SQL that does not determine its result, what is found, and a word of what to write instead. */
const REFUSED: readonly (readonly [sql: string, found: string, remedy: string])[] = [
  ['SELECT current_timestamp AS t FROM events', 'current_timestamp', "getvariable('partition')"],
  ['SELECT "Current_Date" AS t FROM events', 'current_date', "getvariable('partition')"],
  ['SELECT user FROM events', 'user', 'events.user'],
  ["SELECT id FROM events WHERE today() > DATE '2026-01-01'", 'function today', "getvariable('partition')"],
  ['SELECT current_localtimestamp() AS t', 'function current_localtimestamp', "getvariable('partition')"],
  ['SELECT current_localtime() AS t', 'function current_localtime', "getvariable('partition')"],
  ['SELECT AGE(paid) AS a FROM events', 'function age with one moment', 'age(later, earlier)'],
  ['SELECT paid.age() AS a FROM events', 'function paid.age', 'age(paid, ...)'],
  ['SELECT ago(INTERVAL 1 DAY) AS t FROM events', 'function ago', "getvariable('partition')"],
  ['SELECT random() AS r FROM events', 'function random', 'md5_number_lower(id)'],
  ['SELECT hash(id) AS r FROM events', 'function hash', 'md5_number_lower(id)'],
  ["SELECT nextval('s') AS r FROM events", 'function nextval', 'sql-allowed.ts'],
  ['SELECT version() AS v', 'function version', 'sql-allowed.ts'],
  ["SELECT current_setting('memory_limit') AS m", 'function current_setting', 'sql-allowed.ts'],
  ["SELECT getvariable('other') AS v", 'a variable other than partition', "getvariable('partition')"],
  ["SELECT getvariable('part' || 'ition') AS v", 'a variable other than partition', "getvariable('partition')"],
  ['SELECT sleep_ms(1000) AS s', 'function sleep_ms', 'sql-allowed.ts'],
  ['SELECT approx_count_distinct(id) AS n FROM events', 'function approx_count_distinct', 'count(DISTINCT x)'],
  ['SELECT reservoir_quantile(x, 0.5) AS n FROM events', 'function reservoir_quantile', 'quantile_cont'],
  [
    "SELECT list_aggregate([1], 'reservoir_quantile', 0.5) AS n",
    'function list_aggregate of reservoir_quantile',
    "'sum'",
  ],
  ['SELECT list_aggr([1], id) AS n FROM events', 'function list_aggr of a name that is computed', "'sum'"],
  ['SELECT sum(x) EXPORT_STATE AS s FROM events', 'EXPORT_STATE of sum', 'aggregate to a value'],
  ['SELECT system.main.now() AS n', 'function system.main.now', 'without a dot'],
  ['SELECT pg_catalog.format_type(1, 2) AS n', 'function pg_catalog.format_type', 'without a dot'],
  // Row order that nobody gave.
  ['SELECT first(id) AS f FROM events', 'function first without an order', 'first(x ORDER BY ...)'],
  ["SELECT string_agg(id, ',') AS f FROM events", 'function string_agg without an order', 'ORDER BY'],
  [
    'SELECT list_sort(list_transform(list(id), lambda y: y)) AS f FROM events',
    'function list without an order',
    'ORDER BY',
  ],
  ['SELECT ARRAY(SELECT id FROM events) AS f', 'function array_agg without an order', 'ORDER BY'],
  ['SELECT row_number() OVER () AS n FROM events', 'function row_number without an order', 'OVER (ORDER BY ...)'],
  ['SELECT lag(id) OVER (PARTITION BY card) AS n FROM events', 'function lag without an order', 'OVER (ORDER BY ...)'],
  ['SELECT sum(x) OVER (ROWS 2 PRECEDING) AS n FROM events', 'a frame of rows without an order', 'ORDER BY ... ROWS'],
  ['SELECT id FROM events LIMIT 3', 'LIMIT or OFFSET without ORDER BY', 'add ORDER BY'],
  ['SELECT id FROM events OFFSET 3', 'LIMIT or OFFSET without ORDER BY', 'add ORDER BY'],
  ['SELECT * FROM (FROM events UNION ALL FROM events LIMIT 10%)', 'LIMIT or OFFSET without ORDER BY', 'add ORDER BY'],
  ['SELECT DISTINCT ON (card) id FROM events', 'DISTINCT ON without ORDER BY', 'add ORDER BY'],
  ['FROM events POSITIONAL JOIN labels', 'POSITIONAL JOIN', 'join on columns'],
  [
    'WITH RECURSIVE d(n) USING KEY (n) AS (SELECT 1 UNION SELECT n + 1 FROM d) FROM d',
    'USING KEY',
    'recursive CTE without it',
  ],
  // Samples, wherever they stand.
  ['SELECT * FROM events USING SAMPLE 10%', 'a random sample', 'md5_number_lower'],
  ['SELECT * FROM events TABLESAMPLE 10%', 'a random sample', 'md5_number_lower'],
  ['SELECT * FROM range(9) TABLESAMPLE 10%', 'a random sample', 'md5_number_lower'],
  ['SELECT * FROM unnest([1, 2]) TABLESAMPLE 1 ROWS', 'a random sample', 'md5_number_lower'],
  ['SELECT * FROM events, (FROM labels) TABLESAMPLE 10%', 'a random sample', 'md5_number_lower'],
  ['SELECT (SELECT count(*) FROM (VALUES (1)) v(x) TABLESAMPLE 10%) AS n', 'a random sample', 'md5_number_lower'],
  ['SELECT * FROM events TABLESAMPLE reservoir(3 ROWS) REPEATABLE (7)', 'a random sample', 'md5_number_lower'],
  // Tables that are not given, and CTEs where they are not in scope.
  ['SELECT * FROM features', 'table features', 'events, labels'],
  ['SELECT * FROM main.events', 'table main.events', 'events, labels'],
  ['SELECT * FROM information_schema.tables', 'table information_schema.tables', 'events, labels'],
  ['SELECT * FROM duckdb_settings()', 'table function duckdb_settings', 'range, generate_series, unnest'],
  ['SELECT * FROM arrow_scan(1::BIGINT, 2, 3)', 'table function arrow_scan', 'events, labels'],
  ['SELECT * FROM enable_logging()', 'table function enable_logging', 'events, labels'],
  ['SELECT * FROM events AT (VERSION => 3)', 'table events', 'events, labels'],
  ['FROM (WITH duckdb_tables AS (SELECT 1) FROM duckdb_tables), duckdb_tables', 'table duckdb_tables', 'in scope'],
  ['(WITH x AS (SELECT 1) FROM x) UNION ALL FROM x', 'table x', 'in scope'],
  ['WITH x AS (FROM y), y AS (SELECT 1) FROM x', 'table y', 'in scope'],
  ['WITH x AS (FROM x) FROM x', 'table x', 'in scope'],
  ['WITH RECURSIVE x AS (FROM x UNION ALL SELECT 1) FROM x', 'table x', 'in scope'],
  ['SELECT (WITH x AS (SELECT 1 AS a) SELECT a FROM x) AS b FROM events WHERE EXISTS (FROM x)', 'table x', 'in scope'],
  // The engine lowers ASCII letters only, so that the Kelvin sign is no k there.
  ['WITH duc\u212Adb_tables AS (SELECT 1) FROM duckdb_tables', 'table duckdb_tables', 'in scope'],
  // Kinds of node that nobody has read about.
  ['DESCRIBE events', 'DESCRIBE', 'events, labels'],
  ['SELECT * FROM (SUMMARIZE events)', 'DESCRIBE, SHOW or SUMMARIZE', 'events, labels'],
  ['SELECT ? AS x', 'a parameter', "getvariable('partition')"],
  ['SELECT id COLLATE NOCASE AS x FROM events', 'COLLATE', 'lower(x)'],
  ['SELECT DEFAULT AS x', 'DEFAULT', 'joins, subqueries'],
  ['SELECT 1::POINTER AS x', 'type POINTER', 'cast to one of'],
  ['SELECT [1]::main.mood[] AS x', 'type mood', 'cast to one of'],
  ['FROM events PIVOT (sum(x) FOR card IN moods)', 'PIVOT by the name of a type', 'IN (...)'],
];

/** What people write, and what the guard has to understand for it. */
const ACCEPTED = [
  'SELECT id FROM events ORDER BY x DESC, id ASC LIMIT 3',
  'SELECT row_number() OVER (PARTITION BY card ORDER BY paid DESC, id) AS n FROM events',
  'SELECT list(id ORDER BY paid DESC NULLS LAST, id ASC) AS ids FROM events GROUP BY card',
  `-- a comment; with a semicolon
   WITH RECURSIVE days AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM days WHERE n < 3), Late AS (SELECT * FROM events)
   SELECT id, n, median(n) OVER (ORDER BY n), list_sum([1, 2]), unnest(range(2)), greatest(n, 1)
   FROM late, days, range(3) AS r(i), (VALUES (1)) AS v(x) WHERE EXISTS (SELECT 1 FROM events) ORDER BY ALL; `,
  'WITH events AS (SELECT * FROM events WHERE id IS NOT NULL) SELECT * FROM events',
  'WITH a AS (SELECT 1 AS x), b AS (WITH a AS (FROM a) FROM a) SELECT (SELECT x FROM a) AS y FROM b, LATERAL (SELECT b.x FROM a)',
  'WITH a AS (SELECT 1 AS x) (FROM a ORDER BY ALL LIMIT 1) UNION ALL BY NAME (FROM a) ORDER BY (SELECT x FROM a)',
  "SELECT events.user, age(paid, TIMESTAMP '2026-01-01'), current.current_date FROM events, (SELECT 1 AS current_date) AS current",
  'SELECT any_value(x), list(id ORDER BY paid), sum(x) OVER (PARTITION BY card ORDER BY paid ROWS 2 PRECEDING) FROM events',
  'SELECT list(id ORDER BY id), list(DISTINCT id ORDER BY id DESC), list_sort(array_agg(x)), string_agg(DISTINCT id ORDER BY id) FROM events',
  'SELECT row_number() OVER w, rank() OVER (), lag(x ORDER BY paid) OVER () FROM events WINDOW w AS (ORDER BY paid)',
  "SELECT [y + 1 for y in [1, 2] if y > 1], {'a': 1}.a, MAP {'k': 1}['k'], list_aggregate([1], 'sum') FROM events",
  "SELECT CAST(x AS STRUCT(a INTEGER[], b DECIMAL(9, 2))), x::JSON ->> 'a', paid AT TIME ZONE 'Europe/Berlin', TRY_CAST(x AS MAP(INT, DATE))",
  "FROM events PIVOT (sum(x) FOR card IN ('a', 1.5)) UNPIVOT (z FOR k IN (p, q))",
  'SELECT DISTINCT ON (card) * EXCLUDE (x) REPLACE (1 AS y), COLUMNS(lambda c: c LIKE a) FROM events ASOF JOIN labels ON a >= b ORDER BY card, id',
  'SELECT card, grouping(card), sum(x) FROM events SEMI JOIN labels USING (id) GROUP BY ROLLUP (card) HAVING count(*) > 1 QUALIFY rank() OVER (ORDER BY card) = 1',
];

describe('inspectSql', () => {
  it('refuses SQL that does not determine its result, and says what to write instead', async () => {
    const refusals = await inspected(REFUSED.map(([sql]) => sql));
    for (const [index, [sql, found, remedy]] of REFUSED.entries()) {
      expect(refusals[index], sql).toMatchObject({
        rule: 'feature-sql-allowed',
        found: expect.stringContaining(found),
        remedy: expect.stringContaining(remedy),
      });
    }
    const opened = await inspected(HOLES.map(simplest));
    expect(HOLES.filter((_, index) => opened[index] === undefined)).toEqual([]);
  });

  it('accepts what people write', async () => {
    const refusals = await inspected(ACCEPTED);
    for (const [index, sql] of ACCEPTED.entries()) expect(refusals[index], sql).toBeUndefined();
  });

  it('accepts the SQL of all models of this project, of the template and of the tests', async () => {
    const files = globSync('{models,test/models,cli/templates}/**/features/*.sql');
    expect(files).toHaveLength(6);
    const sqls = (wanted: string, more: string) => [
      ...files.filter((file) => basename(file) === wanted).map((file) => readFileSync(file, 'utf8')),
      more,
    ];
    expect(await inspected(sqls('daily.sql', DAILY))).toEqual([undefined, undefined, undefined, undefined]);
    const daily = await inspected(sqls('features.sql', FEATURES), ['events', 'daily']);
    expect(daily).toEqual([undefined, undefined, undefined, undefined]);
  });

  it('lists functions that the engine has, and none that the engine itself calls unstable', async () => {
    const stable = await functions("coalesce(stability, 'CONSISTENT') = 'CONSISTENT'");
    const listed = [...FUNCTIONS, ...BY_NAME, ...OVER_LISTS, ...TABLE_FUNCTIONS];
    expect(listed.filter((name) => !stable.has(name))).toEqual([]);
    const unstable = await functions("stability <> 'CONSISTENT'");
    expect(listed.filter((name) => unstable.has(name))).toEqual([]);
    expect(Object.keys(INSTEAD).filter((name) => FUNCTIONS.has(name))).toEqual(['age']);
  });

  it('refuses every other function of the engine, scalar, aggregate, macro or table, with whatever arguments', async () => {
    const others = [...(await functions('true'))].filter((name) => /^\w+$/.test(name) && !FUNCTIONS.has(name));
    expect(others.length).toBeGreaterThan(300);
    for (const call of [
      (name: string) => `SELECT "${name}"(id) FROM events`,
      (name: string) => `SELECT * FROM "${name}"(1)`,
    ]) {
      const refusals = await inspected(others.map(call));
      expect(others.filter((_, index) => refusals[index] === undefined)).toEqual([]);
    }
  });

  it('knows every name that the engine takes for the clock or the session where no column has it', async () => {
    const standard = ['current_', 'local', 'session_', 'system_', ''].flatMap((prefix) =>
      ['catalog', 'date', 'path', 'role', 'schema', 'time', 'timestamp', 'user', 'localtime', 'localtimestamp'].map(
        (word) => `${prefix}${word}`,
      ),
    );
    const found = await withDatabase('512MB', async (connection) => {
      const keywords = await rowsOf(connection, 'SELECT keyword_name AS n FROM duckdb_keywords()');
      const names = new Set([...standard, ...(await functions('true')), ...keywords.map(nameOf)]);
      const resolved: string[] = [];
      for (const name of names) {
        try {
          await connection.run(`SELECT "${name}" AS v`);
          resolved.push(name);
        } catch {
          // No such column: the engine does not take it for anything.
        }
      }
      return resolved.toSorted();
    });
    expect(found).toEqual([...SESSION_NAMES].toSorted());
  });
});

async function functions(condition: string): Promise<Set<string>> {
  return withDatabase('512MB', async (connection) => {
    const rows = await rowsOf(
      connection,
      `SELECT DISTINCT lower(function_name) AS n FROM duckdb_functions() WHERE ${condition}`,
    );
    return new Set(rows.map(nameOf));
  });
}

function nameOf(row: Row): string {
  return String(row['n']);
}
