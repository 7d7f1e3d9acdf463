import type { DuckDBConnection } from '@duckdb/node-api';
import { ComparisonMeasure, type PredictionCounts } from '#domain/data/comparison-measure.ts';
import type { Refusal } from '#domain/error.ts';
import type { ModelDefinition } from '#domain/model/definition.ts';
import { type Refused, type Row, rowsOf, withDatabase } from './database.ts';
import { type DayFile, checkSchema, describe, loadLabels, source } from './inputs.ts';
import { loadFeatures, rankLabels } from './training-rows.ts';

type Side = 'champion' | 'candidate';
/** Probabilities are clipped here, so that one certain error does not outweigh all else (13.8 nats instead of infinity). */
const CLIP = 1e-6;

/**
 * Measures two releases on the same rows, joined on the row id: sums per day of events, counts of everything that a
 * fair comparison must not have. It judges nothing; a pure gate does, from these numbers alone.
 */
export async function measureComparison(input: {
  readonly features: readonly string[];
  readonly labels: readonly DayFile[];
  readonly champion: readonly string[];
  readonly candidate: readonly string[];
  readonly definition: Pick<ModelDefinition, 'events' | 'labels' | 'features'>;
  readonly memory?: string;
}): Promise<{ readonly kind: 'measured'; readonly measure: ComparisonMeasure } | Refused> {
  const { features, labels, champion, candidate, definition, memory = '2GB' } = input;
  const result = await withDatabase(memory, async (connection) => {
    const refusal =
      (await loadFeatures(connection, definition, features)) ??
      (await loadLabels(connection, definition, labels)) ??
      (await loadPredictions(connection, 'champion', champion)) ??
      (await loadPredictions(connection, 'candidate', candidate));
    if (refusal !== undefined) return refusal;
    await rankLabels(connection, definition.labels);
    return measure(connection);
  });
  return 'rule' in result ? { kind: 'refused', refusal: result } : { kind: 'measured', measure: result };
}

async function loadPredictions(
  connection: DuckDBConnection,
  side: Side,
  files: readonly string[],
): Promise<Refusal | undefined> {
  await connection.run(`CREATE TABLE ${side} (id VARCHAR, p DOUBLE)`);
  for (const file of files) {
    const what = `predictions of the ${side}`;
    const described = await describe(connection, file, what);
    const refusal = Array.isArray(described)
      ? checkSchema(described, { row_id: 'VARCHAR', prediction: 'DOUBLE' }, what)
      : described;
    if (refusal !== undefined) return refusal;
    await connection.run(`INSERT INTO ${side} SELECT row_id, prediction FROM ${source(file)}`);
  }
  return undefined;
}

async function measure(connection: DuckDBConnection): Promise<ComparisonMeasure> {
  const valid = 'p BETWEEN 0 AND 1';
  await connection.run(
    `CREATE TABLE compared AS
     SELECT features.day, labels.value, champion.p AS champion, candidate.p AS candidate
     FROM ${once('(SELECT CAST(id AS VARCHAR) AS id, day FROM features)')} features
     JOIN ${once('(SELECT CAST(id AS VARCHAR) AS id, value FROM newest_labels)')} labels USING (id)
     JOIN ${once(`(SELECT * FROM champion WHERE ${valid})`)} champion USING (id)
     JOIN ${once(`(SELECT * FROM candidate WHERE ${valid})`)} candidate USING (id)
     ORDER BY features.day, id`,
  );
  const [totals = {}] = await rowsOf(
    connection,
    `SELECT (SELECT count(*) FROM compared) AS "comparedRows", (SELECT count(*) FROM features) AS "featureRows",
            (SELECT count(*) - count(DISTINCT id) FROM features) AS "duplicateFeatures",
            (SELECT count(*) FROM features WHERE id NOT IN (SELECT id FROM newest_labels)) AS unlabelled,
            (SELECT count(*) - count(DISTINCT id) FROM newest_labels) AS "duplicateLabels",
            (SELECT count(*) FROM newest_labels WHERE id NOT IN (SELECT id FROM features)) AS "otherLabels",
            (SELECT max(abs(champion - candidate)) FROM compared) AS "greatestDifference"`,
  );
  return ComparisonMeasure.parse({
    formatVersion: 1,
    ...totals,
    clusters: await clusters(connection),
    champion: await countsOf(connection, 'champion'),
    candidate: await countsOf(connection, 'candidate'),
  });
}

/** Rows that are there twice are compared by no one: the counts say that they were. */
function once(table: string): string {
  return `(SELECT * FROM ${table} QUALIFY count(*) OVER (PARTITION BY id) = 1)`;
}

function clipped(side: Side): string {
  return `greatest(${String(CLIP)}, least(1 - ${String(CLIP)}, ${side})) AS clipped_${side}`;
}

function sums(side: Side): string {
  return `sum(-ln(CASE WHEN value THEN clipped_${side} ELSE 1 - clipped_${side} END)) AS ${side}_log_loss,
          sum((${side} - value::INTEGER) * (${side} - value::INTEGER)) AS ${side}_brier, sum(${side}) AS ${side}_predicted`;
}

function lossesOf(row: Row, side: Side): unknown {
  return { logLoss: row[`${side}_log_loss`], brier: row[`${side}_brier`], predicted: row[`${side}_predicted`] };
}

async function clusters(connection: DuckDBConnection): Promise<unknown[]> {
  const rows = await rowsOf(
    connection,
    `SELECT strftime(day, '%Y-%m-%d') AS day, count(*) AS rows, count(*) FILTER (value) AS positives, ${sums('champion')}, ${sums('candidate')}
     FROM (SELECT *, ${clipped('champion')}, ${clipped('candidate')} FROM compared) GROUP BY ALL ORDER BY day`,
  );
  return rows.map((row) => ({
    day: row['day'],
    rows: row['rows'],
    positives: row['positives'],
    champion: lossesOf(row, 'champion'),
    candidate: lossesOf(row, 'candidate'),
  }));
}

async function countsOf(connection: DuckDBConnection, side: Side): Promise<PredictionCounts> {
  const ids = '(SELECT CAST(id AS VARCHAR) FROM features)';
  // The rank sum of the positives (Mann and Whitney 1947), with the mean rank where predictions are equal.
  const area = `SELECT (sum(place) FILTER (value) - count(*) FILTER (value) * (count(*) FILTER (value) + 1) / 2)
                       / nullif(count(*) FILTER (value) * count(*) FILTER (NOT value), 0)
                FROM (SELECT value, rank() OVER (ORDER BY ${side}) + (count(*) OVER (PARTITION BY ${side}) - 1) / 2 AS place FROM compared)`;
  const [row = {}] = await rowsOf(
    connection,
    `SELECT count(*) AS rows, count(*) - count(DISTINCT id) AS duplicates,
            count(*) FILTER (p IS NULL OR isnan(p)) AS "notANumber",
            count(*) FILTER (NOT isnan(p) AND (p < 0 OR p > 1)) AS "outOfRange",
            count(*) FILTER (p = 0 OR p = 1) AS hard,
            count(*) FILTER (id IS NULL OR id NOT IN ${ids}) AS unmatched,
            (SELECT count(*) FROM features WHERE CAST(id AS VARCHAR) NOT IN (SELECT id FROM ${side} WHERE id IS NOT NULL)) AS missing,
            min(p) FILTER (p BETWEEN 0 AND 1) AS lowest, max(p) FILTER (p BETWEEN 0 AND 1) AS highest,
            stddev_pop(p) FILTER (p BETWEEN 0 AND 1) AS deviation, (${area}) AS auc
     FROM ${side}`,
  );
  return ComparisonMeasure.shape[side].parse(row);
}
