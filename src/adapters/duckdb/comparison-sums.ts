import type { DuckDBConnection } from '@duckdb/node-api';
import type { ComparisonMeasure, Disagreement, PredictionCounts } from '#domain/comparison/measure.ts';
import { ROUNDING } from '#domain/statistics/probability.ts';
import { rank } from '#domain/statistics/ranking.ts';
import { type Row, literal, numberOf, rowsOf } from './database.ts';

type Side = 'champion' | 'candidate';
const SIDES = ['champion', 'candidate'] as const;
/** Probabilities are clipped here, so that one certain error does not outweigh all else (13.8 nats instead of infinity). */
const CLIP = 1e-6;
/** Values of a slice column that are summed: more than a policy may ask for. */
const SLICES = 50;
/** Beyond so many clusters a matrix of pairs is larger than it is worth, and an area is told without an interval. */
const MATRIX = 200;

/**
 * Sums over tables `matched` and `compared` (cluster, value, champion, candidate and `slice_0`, `slice_1`, ... for the slice columns),
 * which stands in the order of its contents: floating-point sums depend on their order, and must not on that of the input.
 */
export async function sumsOf(
  connection: DuckDBConnection,
  slices: readonly string[],
): Promise<Pick<ComparisonMeasure, 'clusters' | 'slices' | 'comparedRows' | 'greatestDifference' | 'disagreement'>> {
  const clusters = await rowsOf(connection, `SELECT cluster, ${SUMS} FROM compared GROUP BY cluster ORDER BY cluster`);
  const found = [];
  for (const [index, column] of slices.entries()) {
    const value = `slice_${String(index)}`;
    const largest = `SELECT ${value} FROM compared GROUP BY ${value} ORDER BY count(*) DESC, ${value} LIMIT ${String(SLICES)}`;
    const rows = await rowsOf(
      connection,
      `SELECT ${value} AS slice, cluster, ${SUMS} FROM compared WHERE ${value} IN (${largest})
       GROUP BY ALL ORDER BY slice, cluster`,
    );
    const values = Map.groupBy(rows, (row) => String(row['slice']));
    for (const [each, of] of values) found.push({ column, value: each, clusters: of.map(clusterOf) });
  }
  const [totals = {}] = await rowsOf(
    connection,
    'SELECT count(*) AS rows, max(abs(champion - candidate)) AS difference FROM compared',
  );
  const difference = totals['difference'];
  return {
    clusters: clusters.map(clusterOf),
    slices: found,
    comparedRows: Number(totals['rows']),
    greatestDifference: typeof difference === 'number' ? difference : null,
    disagreement: await disagreementsOf(connection),
  };
}

/** How far the models are apart on the rows of table `matched` that both predict validly, labelled or not. */
async function disagreementsOf(connection: DuckDBConnection): Promise<Disagreement[]> {
  const logit = (side: Side): string => `ln(${clipped(side)} / (1 - ${clipped(side)}))`;
  const rows = await rowsOf(
    connection,
    `SELECT cluster, count(*) AS rows, sum(abs(${logit('candidate')} - ${logit('champion')})) AS logits
     FROM (SELECT cluster, champion, candidate FROM matched
           WHERE cluster IS NOT NULL AND champion BETWEEN 0 AND 1 AND candidate BETWEEN 0 AND 1
           ORDER BY ALL)
     GROUP BY cluster ORDER BY cluster`,
  );
  return rows.map(({ cluster, rows: count, logits }) => ({
    cluster: String(cluster),
    rows: Number(count),
    logits: Number(logits),
  }));
}

const SUMS = `count(*) AS rows, count(*) FILTER (value) AS positives, ${SIDES.map(
  (side) => `sum(${logLoss(side)}) AS ${side}_log_loss,
             sum((${side} - value::INTEGER) * (${side} - value::INTEGER)) AS ${side}_brier, sum(${side}) AS ${side}_predicted`,
).join(', ')}`;

/** A prediction as SQL: what rounding has put past 0 or 1 is that end; what is no probability stays what it is, and is counted. */
export function predictionOf(sql: string): string {
  return `CASE WHEN ${sql} BETWEEN ${-ROUNDING} AND ${1 + ROUNDING} THEN greatest(0, least(1, ${sql})) ELSE ${sql} END`;
}

/** The log loss of a prediction for the label `value`, as SQL. */
export function logLoss(prediction: string): string {
  return `-ln(CASE WHEN value THEN ${clipped(prediction)} ELSE 1 - ${clipped(prediction)} END)`;
}

/** A prediction as SQL, clipped to where its logit is finite. */
export function clipped(side: string): string {
  return `greatest(${String(CLIP)}, least(1 - ${String(CLIP)}, ${side}))`;
}

function clusterOf(row: Row): ComparisonMeasure['clusters'][number] {
  const of = (side: Side) => ({
    logLoss: Number(row[`${side}_log_loss`]),
    brier: Number(row[`${side}_brier`]),
    predicted: Number(row[`${side}_predicted`]),
  });
  return {
    cluster: String(row['cluster']),
    rows: Number(row['rows']),
    positives: Number(row['positives']),
    champion: of('champion'),
    candidate: of('candidate'),
  };
}

/** What only the rows themselves can say: how well each model puts positives above negatives. */
export async function rankingsOf(
  connection: DuckDBConnection,
  clusters: readonly { readonly rows: number }[],
): Promise<Record<Side, Pick<PredictionCounts, 'auc' | 'averagePrecision' | 'pairs'>>> {
  const count = clusters.reduce((total, { rows }) => total + rows, 0);
  const positive = new Uint8Array(count);
  const scores = { champion: new Float64Array(count), candidate: new Float64Array(count) };
  const result = await connection.run('SELECT value::DOUBLE, champion, candidate FROM compared');
  let row = 0;
  for (let chunk = await result.fetchChunk(); chunk !== null; chunk = await result.fetchChunk()) {
    // Asked once: the answer comes from native code.
    const rows = chunk.rowCount;
    if (rows === 0) break;
    const [values, ...sides] = [0, 1, 2].map((column) => chunk?.getColumnVector(column));
    for (let index = 0; index < rows; index += 1, row += 1) {
      positive[row] = Number(values?.getItem(index));
      scores.champion[row] = Number(sides[0]?.getItem(index));
      scores.candidate[row] = Number(sides[1]?.getItem(index));
    }
  }
  const isSmall = clusters.length <= MATRIX;
  const sizes = isSmall ? clusters.map(({ rows }) => rows) : [count];
  const of = (side: Side) => {
    const { auc, averagePrecision, pairs } = rank({ scores: scores[side], positive, sizes });
    return { auc, averagePrecision, pairs: isSmall ? pairs.map((each) => [...each]) : null };
  };
  return { champion: of('champion'), candidate: of('candidate') };
}

/** How many ids of a table are missing or there before: 0 where each row has one of its own. */
async function repeatsOf(connection: DuckDBConnection, table: string): Promise<number> {
  return numberOf(connection, `SELECT count(*) - count(DISTINCT id) FROM ${table}`);
}

/** The rows of a table whose id is there once, as SQL: the counts say of the others that they were there. */
function once(table: string, repeats: number): string {
  if (repeats === 0) return table;
  return `(SELECT * FROM ${table} ANTI JOIN (SELECT id FROM ${table} GROUP BY id HAVING count(*) > 1) USING (id))`;
}

/** Tables that rows are made of, by name, with how many of their ids repeat each other. */
export type Repeats<Table extends string> = Readonly<Record<Table | Side, number>>;

/**
 * Makes table `matched` (a row per id that is there once, with what each model predicts) and table `compared` (those of them
 * that have a label and a valid prediction of both), in the order of their contents.
 * @param tables those that the rows are made of; the first has a row for each id that there should be
 * @param query SQL of (id, cluster, value, slice_0, ...) from `tables` without their repeated ids; value null where there is no label
 */
export async function compareRows<Table extends string>(
  connection: DuckDBConnection,
  tables: readonly Table[],
  query: (once: (table: Table) => string) => string,
  slices: number,
): Promise<Repeats<Table>> {
  const found = new Map<string, number>();
  for (const table of [...tables, ...SIDES]) found.set(table, await repeatsOf(connection, table));
  const repeats = Object.fromEntries(found) as Repeats<Table>;
  const joined = SIDES.map(
    (side) => `LEFT JOIN (SELECT id, p, true AS found FROM ${once(side, repeats[side])}) ${side} USING (id)`,
  );
  await connection.run(
    `CREATE TABLE matched AS
     SELECT rows.*, ${SIDES.map((side) => `${side}.p AS ${side}, coalesce(${side}.found, false) AS has_${side}`).join(', ')}
     FROM (${query((table) => once(table, repeats[table]))}) rows ${joined.join(' ')}`,
  );
  const order = ['cluster', 'value', ...SIDES, ...Array.from({ length: slices }, (_, index) => `slice_${index}`)];
  await connection.run(
    `CREATE TABLE compared AS SELECT ${order.join(', ')} FROM matched
     WHERE value IS NOT NULL AND cluster IS NOT NULL AND champion BETWEEN 0 AND 1 AND candidate BETWEEN 0 AND 1
     ORDER BY ${order.join(', ')}`,
  );
  return repeats;
}

/** What is wrong or remarkable about the predictions of table `side` (id, p), compared with the ids of table `rows`. */
export async function countsOf<Table extends string>(
  connection: DuckDBConnection,
  side: Side,
  rows: Table,
  repeats: Repeats<Table>,
): Promise<Omit<PredictionCounts, 'auc' | 'averagePrecision' | 'pairs'>> {
  // Where each id is there once, what was matched says it all; else the tables are compared with each other.
  const isPlain = repeats[rows] === 0 && repeats[side] === 0;
  const [unmatched, missing] = isPlain
    ? [
        `count(*) - (SELECT count(*) FILTER (has_${side}) FROM matched)`,
        `(SELECT count(*) FILTER (NOT has_${side}) FROM matched)`,
      ]
    : [
        `(SELECT count(*) FROM ${side} ANTI JOIN ${rows} USING (id))`,
        `(SELECT count(*) FROM ${rows} ANTI JOIN ${side} USING (id))`,
      ];
  const [row = {}] = await rowsOf(
    connection,
    `SELECT count(*) AS rows, count(*) FILTER (p IS NULL OR isnan(p)) AS "notANumber",
            count(*) FILTER (NOT isnan(p) AND (p < 0 OR p > 1)) AS "outOfRange",
            count(*) FILTER (p = 0 OR p = 1) AS hard, ${unmatched} AS unmatched, ${missing} AS missing,
            (SELECT min(${side}) FROM compared) AS lowest, (SELECT max(${side}) FROM compared) AS highest,
            (SELECT stddev_pop(${side}) FROM compared) AS deviation
     FROM ${side}`,
  );
  const number = (name: string): number => Number(row[name]);
  const numberOrNull = (name: string): number | null => (typeof row[name] === 'number' ? row[name] : null);
  return {
    rows: number('rows'),
    duplicates: repeats[side],
    notANumber: number('notANumber'),
    outOfRange: number('outOfRange'),
    hard: number('hard'),
    unmatched: number('unmatched'),
    missing: number('missing'),
    lowest: numberOrNull('lowest'),
    highest: numberOrNull('highest'),
    deviation: numberOrNull('deviation'),
  };
}

/** A value as the text by which rows are put into clusters and slices; what is missing is a group of its own. */
export function groupText(column: string): string {
  return `coalesce(CAST(${column} AS VARCHAR), ${literal('(none)')})`;
}
