import { open } from 'node:fs/promises';
import { basename } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { ComparisonMeasure } from '#domain/comparison/measure.ts';
import { compareRows, countsOf, groupText, predictionOf, rankingsOf, sumsOf } from './comparison-sums.ts';
import { fileLiteral, messageOf, name, rowsOf, withDatabase } from './database.ts';
import { type Column, describe, namedTwice, NO_TYPE, source } from './inputs.ts';

/** What three files say: a measure, or why they are no input at all. */
type MeasuredFiles =
  | { readonly kind: 'measured'; readonly measure: ComparisonMeasure }
  | { readonly kind: 'invalid'; readonly flaws: readonly string[] };

const WHOLE = ['TINYINT', 'SMALLINT', 'INTEGER', 'BIGINT', 'HUGEINT', 'UTINYINT', 'USMALLINT', 'UINTEGER', 'UBIGINT'];
const NUMBER = [...WHOLE, 'FLOAT', 'DOUBLE', 'DECIMAL'];
/** The types that a column may have in Parquet; in CSV everything is text, and is read as what it should be. */
const TYPES: Readonly<Record<string, readonly string[]>> = {
  row_id: [...WHOLE, 'VARCHAR', 'UUID'],
  label: [...NUMBER, 'BOOLEAN'],
  cluster: [...WHOLE, 'VARCHAR', 'DATE'],
  slice: [...NUMBER, 'VARCHAR', 'BOOLEAN', 'DATE', 'ENUM'],
  prediction: NUMBER,
};

/**
 * Measures two files of predictions (`row_id, prediction`) against one of labels (`row_id, label, cluster` and, if it is
 * there, `slice`), each Parquet or CSV by its content. Rows are joined on the row id; the order of rows and columns makes
 * no difference to any bit. @throws what the file system throws where a file cannot be opened
 */
export async function measureFiles(files: {
  readonly labels: string;
  readonly champion: string;
  readonly candidate: string;
}): Promise<MeasuredFiles> {
  return withDatabase('4GB', async (connection) => {
    const labels = await load(connection, 'labels', files.labels, ['row_id', 'label', 'cluster'], ['slice']);
    const flaws = [
      ...labels.flaws,
      ...(await load(connection, 'champion', files.champion, ['row_id', 'prediction'])).flaws,
      ...(await load(connection, 'candidate', files.candidate, ['row_id', 'prediction'])).flaws,
    ];
    if (flaws.length > 0) return { kind: 'invalid', flaws };
    return { kind: 'measured', measure: await measure(connection, labels.columns.includes('slice')) };
  });
}

interface Loaded {
  readonly columns: readonly string[];
  readonly flaws: readonly string[];
}

/** Loads some columns of a file into a table, each as text or as number, or says what is wrong with them. */
async function load(
  connection: DuckDBConnection,
  table: string,
  file: string,
  required: readonly string[],
  optional: readonly string[] = [],
): Promise<Loaded> {
  const isParquet = await beginsWith(file, 'PAR1');
  // No dialect of numbers or dates is guessed: each value stays the text that it is until it is read as what it should be.
  const from = isParquet
    ? source(file)
    : `read_csv(${fileLiteral(file)}, header = true, all_varchar = true, nullstr = '', null_padding = false)`;
  try {
    const described = isParquet
      ? await describe(connection, file, basename(file))
      : await describeCsv(connection, file, from);
    if (!Array.isArray(described)) return { columns: [], flaws: [`${table}: ${described.found}`] };
    const types = new Map(described.map(({ column, type }) => [column, type]));
    const columns = [...required, ...optional.filter((column) => types.has(column))];
    const flaws = columns.flatMap((column) => wrongColumn(column, types.get(column), isParquet));
    if (flaws.length > 0) return { columns, flaws: flaws.map((flaw) => `${table}: ${flaw}`) };
    const selected = columns.map((column) => `${valueOf(column)} AS ${AS[column] ?? column}`);
    await connection.run(`CREATE TABLE ${table} AS SELECT ${selected.join(', ')} FROM ${from}`);
    return { columns, flaws: [] };
  } catch (error) {
    return { columns: [], flaws: [`${table}: cannot be read as Parquet or CSV: ${messageOf(error)}`] };
  }
}

/** A CSV's columns, or what is wrong with their names: the engine gives another one to what is there twice. */
async function describeCsv(
  connection: DuckDBConnection,
  file: string,
  from: string,
): Promise<Column[] | { readonly found: string }> {
  const [header = {}] = await rowsOf(
    connection,
    `FROM read_csv(${fileLiteral(file)}, header = false, all_varchar = true, nullstr = '', null_padding = false) LIMIT 1`,
  );
  const [twice] = namedTwice(Object.values(header).flatMap((each) => (typeof each === 'string' ? [each.trim()] : [])));
  if (twice !== undefined) return { found: twice };
  const described = await rowsOf(connection, `DESCRIBE SELECT * FROM ${from}`);
  return described.map((row) => ({ column: String(row['column_name']), type: String(row['column_type']) }));
}

const AS: Readonly<Record<string, string>> = { row_id: 'id', label: 'value', prediction: 'p' };

async function beginsWith(file: string, text: string): Promise<boolean> {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(text.length), 0, text.length, 0);
    return buffer.subarray(0, bytesRead).toString('latin1') === text;
  } finally {
    await handle.close();
  }
}

function wrongColumn(column: string, type: string | undefined, isTyped: boolean): string[] {
  if (type === undefined) return [`column ${column} is missing`];
  // DECIMAL(18,3) and ENUM('a', 'b') are told by their first word.
  const [plain = ''] = type.split('(');
  const allowed = TYPES[column] ?? [];
  return !isTyped || plain === NO_TYPE || allowed.includes(plain)
    ? []
    : [`column ${column} is ${type}, allowed: ${allowed.join(', ')}`];
}

/** A column as what it should be; what cannot be read so becomes null, and is counted. */
function valueOf(column: string): string {
  switch (column) {
    case 'label':
      // 1.00 of a decimal column and -0.0 are the numbers that they are.
      return `CASE WHEN lower(trim(CAST(label AS VARCHAR))) = 'true' OR TRY_CAST(CAST(label AS VARCHAR) AS DOUBLE) = 1 THEN true
                   WHEN lower(trim(CAST(label AS VARCHAR))) = 'false' OR TRY_CAST(CAST(label AS VARCHAR) AS DOUBLE) = 0 THEN false END`;
    case 'prediction':
      return predictionOf('TRY_CAST(prediction AS DOUBLE)');
    default:
      return `CAST(${name(column)} AS VARCHAR)`;
  }
}

async function measure(connection: DuckDBConnection, isSliced: boolean): Promise<ComparisonMeasure> {
  const [totals = {}] = await rowsOf(
    connection,
    `SELECT count(*) AS rows, count(*) - count(id) AS nameless,
            count(*) - count(value) AS unlabelled, count(*) - count(cluster) AS unclustered FROM labels`,
  );
  const [nameless = {}] = await rowsOf(
    connection,
    `SELECT (SELECT count(*) - count(id) FROM champion) AS champion, (SELECT count(*) - count(id) FROM candidate) AS candidate`,
  );
  const slice = isSliced ? `, ${groupText('slice')} AS slice_0` : '';
  const slices = isSliced ? ['slice'] : [];
  const repeats = await compareRows(
    connection,
    ['labels'],
    (once) => `SELECT id, cluster, value ${slice} FROM ${once('labels')}`,
    slices.length,
  );
  const sums = await sumsOf(connection, slices);
  const rankings = await rankingsOf(connection, sums.clusters);
  const flaws = [
    [totals['unlabelled'], 'labels are neither 0 nor 1'],
    [totals['unclustered'], 'labels have no cluster'],
    [totals['nameless'], 'labels have no row_id'],
    [nameless['champion'], 'predictions of the champion have no row_id'],
    [nameless['candidate'], 'predictions of the candidate have no row_id'],
  ].flatMap(([count, what]) => (Number(count) > 0 ? [`${String(count)} ${String(what)}`] : []));
  return ComparisonMeasure.parse({
    formatVersion: 2,
    clusterColumn: 'cluster',
    flaws,
    featureRows: totals['rows'],
    duplicateFeatures: 0,
    unlabelled: 0,
    // A row without an id repeats nothing: it is reported by itself.
    duplicateLabels: repeats.labels - Number(totals['nameless']),
    otherLabels: 0,
    ...sums,
    champion: { ...(await countsOf(connection, 'champion', 'labels', repeats)), ...rankings.champion },
    candidate: { ...(await countsOf(connection, 'candidate', 'labels', repeats)), ...rankings.candidate },
  });
}
