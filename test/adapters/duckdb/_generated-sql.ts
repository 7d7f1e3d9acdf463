import * as fc from 'fast-check';

/**
 * A way in which SQL could fail to determine its result: text that the guard must refuse, and harmless text in its place,
 * by which a test re-opens the hole: a guard that sees the harmless text accepts what it would accept without that check.
 */
export interface Hole {
  readonly what: string;
  readonly open: string;
  readonly closed: string;
}

/** Holes that are numbers of a row of `r`. */
const NUMBERS: readonly Hole[] = [
  { what: 'age with one moment', open: 'epoch(age(r.paid))', closed: 'epoch(age(r.paid, r.paid))' },
  { what: 'current_localtimestamp', open: 'epoch(current_localtimestamp())', closed: 'epoch(r.paid)' },
  { what: 'current_localtime', open: 'epoch(current_localtime())', closed: 'epoch(r.paid)' },
  { what: 'the clock by its name', open: 'epoch(current_timestamp)', closed: 'epoch(r.paid)' },
  { what: 'chance', open: 'random()', closed: '0.5' },
  {
    what: "the engine's tables, by a CTE outside its scope",
    open: '((SELECT count(*) FROM (WITH duckdb_tables AS (SELECT 1) FROM duckdb_tables)) + (SELECT count(*) FROM duckdb_tables))',
    closed: '(SELECT count(*) FROM (WITH duckdb_tables AS (SELECT 1) FROM duckdb_tables))',
  },
  {
    what: "the previous day's result, by a CTE outside its scope",
    open: '(SELECT count(*) FROM previous WHERE r.x > 1 OR EXISTS (WITH previous AS (SELECT 1) FROM previous))',
    closed: '(SELECT count(*) FROM events WHERE r.x > 1 OR EXISTS (WITH previous AS (SELECT 1) FROM previous))',
  },
];

/** Holes that are tables with the columns id, card, paid and x. */
const columns = "CAST(i AS VARCHAR) AS id, 'card-0' AS card, TIMESTAMP '2026-03-01' AS paid, CAST(i AS DOUBLE) AS x";
const RELATIONS: readonly Hole[] = [
  {
    what: 'a sample of range()',
    open: `(SELECT ${columns} FROM range(1000) AS t(i) TABLESAMPLE 50%)`,
    closed: `(SELECT ${columns} FROM range(1000) AS t(i))`,
  },
  {
    what: 'a sample of unnest()',
    open: `(SELECT ${columns} FROM unnest(range(1000)) AS t(i) TABLESAMPLE 100 ROWS)`,
    closed: `(SELECT ${columns} FROM unnest(range(1000)) AS t(i))`,
  },
  {
    what: 'a sample of a subquery',
    open: `(SELECT ${columns} FROM (FROM range(1000)) AS t(i) TABLESAMPLE reservoir(100 ROWS))`,
    closed: `(SELECT ${columns} FROM (FROM range(1000)) AS t(i))`,
  },
];

export const HOLES: readonly Hole[] = [...NUMBERS, ...RELATIONS];

/** The simplest SQL that uses a hole. */
export function simplest({ open }: Hole): string {
  const relation = RELATIONS.some((hole) => hole.open === open);
  return relation
    ? `SELECT * FROM ${open}`
    : `SELECT id, ${open} AS x FROM (SELECT id, paid, amount AS x FROM events) AS r`;
}

/** Windows over rows of `r`. */
const WINDOWS = [
  'sum(r.x) OVER (PARTITION BY r.card ORDER BY r.paid RANGE BETWEEN INTERVAL 3 HOURS PRECEDING AND CURRENT ROW)',
  'avg(r.x) OVER (PARTITION BY r.card)',
  'row_number() OVER (ORDER BY r.card)',
  'lag(r.x, 1, 0) OVER (PARTITION BY r.card ORDER BY r.paid DESC)',
  'rank() OVER (ORDER BY r.x)',
  'ntile(3) OVER (ORDER BY r.id)',
  'stddev_pop(r.x) OVER (ORDER BY r.paid ROWS BETWEEN 2 PRECEDING AND 1 FOLLOWING)',
  'first_value(r.x) OVER (PARTITION BY hour(r.paid) ORDER BY r.card)',
];
const AGGREGATES = [
  'sum(r.x)',
  'avg(r.x)',
  'count(DISTINCT r.x)',
  'median(r.x)',
  'quantile_cont(r.x, 0.9)',
  'any_value(r.x)',
  'arg_max(r.x, r.paid)',
  'mode(r.x)',
  'first(r.x ORDER BY r.paid, r.id)',
  'list_sum(list(r.x ORDER BY r.card))',
  'list_sum(list(DISTINCT r.x ORDER BY r.x))',
  'length(string_agg(r.id, r.card ORDER BY r.id))',
  'count(*) FILTER (r.x > 2)',
  'stddev_samp(r.x)',
  'geomean(abs(r.x) + 1)',
];
const LEAVES = [
  'r.x',
  'hour(r.paid)',
  'length(r.card)',
  'md5_number_lower(r.id) % 7',
  "epoch(age(r.paid, TIMESTAMP '2026-01-01'))",
  "date_diff('hour', r.paid, CAST(getvariable('partition') AS TIMESTAMP))",
  "(getvariable('partition') - CAST(r.paid AS DATE))",
  "hour(timezone('America/New_York', CAST(r.paid AS TIMESTAMPTZ)))",
  '(SELECT count(*) FROM labels WHERE labels.id = r.id AND labels.bad)',
  '(WITH most AS (SELECT max(amount) AS x FROM events) SELECT x FROM most)',
  'list_sum([y * 2 for y in range(3) if y < r.x])',
  '7',
];

/** How deep SQL is nested; at the bottom stands the first of the alternatives, which is plain. */
const DEEP = { withCrossShrink: true, maxDepth: 4 } as const;

/** SQL over `events` and `labels` with joins, windows and CTEs, of which about `share` in a hundred parts is a hole. */
export function generatedSql(share: number, holes: readonly Hole[] = HOLES): fc.Arbitrary<string> {
  const weighted = (
    plain: readonly { arbitrary: fc.Arbitrary<string>; weight: number }[],
    found: readonly Hole[],
  ): fc.Arbitrary<string> => {
    const spice = found.filter((hole) => holes.includes(hole)).map(({ open }) => open);
    if (spice.length === 0 || share === 0) return fc.oneof(DEEP, ...plain);
    const total = plain.reduce((sum, { weight }) => sum + weight, 0);
    const weight = Math.max(1, Math.round((total * share) / (100 - share)));
    return fc.oneof(DEEP, ...plain, { arbitrary: fc.constantFrom(...spice), weight });
  };
  const { relation } = fc.letrec<{ number: string; relation: string }>((tie) => {
    const r = tie('relation');
    const from = (of: fc.Arbitrary<readonly string[]>, text: (...parts: string[]) => string) =>
      of.map((parts) => text(...parts));
    return {
      number: weighted(
        [
          { arbitrary: fc.constantFrom(...LEAVES), weight: 60 },
          {
            arbitrary: from(
              fc.tuple(tie('number'), fc.constantFrom('+', '-', '*', '/'), tie('number')),
              (a, operator, b) => `(${a} ${operator} ${b})`,
            ),
            weight: 20,
          },
          {
            arbitrary: from(
              fc.tuple(tie('number'), tie('number')),
              (a, b) => `CASE WHEN r.x > ${a} THEN ln(1 + abs(${b})) END`,
            ),
            weight: 10,
          },
        ],
        NUMBERS,
      ),
      relation: weighted(
        [
          { arbitrary: fc.constant('(SELECT id, card, paid, amount AS x FROM events)'), weight: 70 },
          {
            arbitrary: fc.constantFrom(
              '(SELECT e.id, card, paid, CAST(bad AS INTEGER) AS x FROM labels JOIN events AS e USING (id))',
              '(SELECT e.id, card, paid, CAST(bad AS INTEGER) AS x FROM events AS e LEFT JOIN labels ON labels.id = e.id)',
              '(SELECT e.id, card, paid, amount AS x FROM events AS e ANTI JOIN labels USING (id))',
              '(SELECT e.id, card, paid, epoch(seen) AS x FROM events AS e ASOF JOIN labels ON e.paid >= labels.seen)',
              '(WITH events AS (SELECT * FROM events WHERE amount > 1) SELECT id, card, paid, amount AS x FROM events)',
              '(WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 4) SELECT id, card, paid, amount / i AS x FROM events, n)',
            ),
            weight: 30,
          },
          {
            arbitrary: from(fc.tuple(tie('number'), r), (x, t) => `(SELECT id, card, paid, ${x} AS x FROM ${t} AS r)`),
            weight: 20,
          },
          {
            arbitrary: from(
              fc.tuple(fc.constantFrom(...WINDOWS), r),
              (x, t) => `(SELECT id, card, paid, ${x} AS x FROM ${t} AS r)`,
            ),
            weight: 10,
          },
          {
            arbitrary: from(
              fc.tuple(fc.constantFrom(...AGGREGATES), r),
              (x, t) => `(SELECT min(id) AS id, card, max(paid) AS paid, ${x} AS x FROM ${t} AS r GROUP BY card)`,
            ),
            weight: 10,
          },
          {
            arbitrary: from(
              fc.tuple(r, r),
              (a, b) =>
                `(WITH a AS ${a}, b AS (FROM a UNION ALL FROM ${b}) SELECT a.* REPLACE (a.x + b.x AS x) FROM a JOIN b USING (id))`,
            ),
            weight: 6,
          },
          {
            arbitrary: from(
              fc.tuple(r, r),
              (a, b) =>
                `(SELECT o.id, o.card, o.paid, (SELECT sum(i.x) FROM ${b} AS i WHERE i.card = o.card) AS x FROM ${a} AS o)`,
            ),
            weight: 6,
          },
          {
            arbitrary: from(
              fc.tuple(r, tie('number')),
              (t, x) => `(SELECT * FROM ${t} AS r WHERE r.x <> ${x} ORDER BY x LIMIT 7)`,
            ),
            weight: 6,
          },
        ],
        RELATIONS,
      ),
    };
  });
  return relation.map((text) => `SELECT * FROM ${text} AS everything`);
}
