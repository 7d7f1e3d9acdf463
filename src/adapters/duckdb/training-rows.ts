import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { ENGINE_MEMORY } from '#domain/data/engine-limits.ts';
import type { LabelJoins } from '#domain/data/label-joins.ts';
import { trainingRowsFile } from '#domain/data/training-plan.ts';
import type { Refusal } from '#domain/refusal/refusal.ts';
import { type ModelDefinition, typeOf } from '#domain/model/definition.ts';
import { PARQUET, type Refused, literal, name, numberOf, rowsOf, withinMemory } from './database.ts';
import { checkSchema, type Columns, describe, loadLabels, source } from './inputs.ts';
import { countJoins, countLabels, createIds, type LabelCounts, rankLabels } from './label-joins.ts';
import type { DayFile } from '#ports/feature-engine.ts';

/** Training rows that were made: a file for each day, in the order of days, which is that of their names. */
export interface Exported {
  readonly kind: 'built';
  readonly rows: number;
  readonly positives: number;
  readonly files: readonly string[];
  readonly joins: LabelJoins;
}

type Definition = Pick<ModelDefinition, 'events' | 'labels' | 'features'>;

/**
 * Joins features with the labels that had arrived: id, day, the features and the label as 0 or 1, in the order of days and
 * ids. The label that arrived last counts; ids that are there twice are refused, never chosen from. Each day becomes a file
 * in the folder `out`, and one day's features are in memory at a time: of all days together only ids and labels are kept,
 * and they may go to disk. The folder then holds those files, and nothing else.
 */
export async function exportTrainingRows(input: {
  readonly features: readonly DayFile[];
  readonly labels: readonly DayFile[];
  readonly definition: Definition;
  readonly out: string;
  readonly memory?: string;
}): Promise<Exported | Refused> {
  const { features, labels, definition, out, memory = ENGINE_MEMORY } = input;
  let about = `labels of ${labels.length} files`;
  const result = await withinMemory({ memory, about: () => about, spills: true }, async (connection) => {
    const unread = await loadLabels(connection, definition, labels);
    if (unread !== undefined) return unread;
    const delivered = await countLabels(connection, definition);
    const refusal = await newestLabels(connection, definition);
    if (refusal !== undefined) return refusal;
    about = `ids of ${features.length} days`;
    const parts = features.toSorted((a, b) => (a.day < b.day ? -1 : 1));
    const joined = await joinLabels(connection, definition, parts);
    if ('rule' in joined) return joined;
    const joins = { ...delivered, ...joined };
    if (joins.labelled === 0) return whyNoRow(joins, parts);
    await rm(out, { recursive: true, force: true });
    await mkdir(out, { recursive: true });
    const files: string[] = [];
    const counts = { rows: 0, positives: 0 };
    for (const [part, { day, file }] of parts.entries()) {
      const rows = await numberOf(connection, `SELECT count(*) FROM ${source(file)}`);
      about = `features of ${day}, ${rows} rows of ${definition.features.columns.length} features`;
      const path = join(out, trainingRowsFile(day));
      const made = await exportDay(connection, definition, { part, file }, path);
      files.push(path);
      counts.rows += made.rows;
      counts.positives += made.positives;
    }
    return { kind: 'built', ...counts, files, joins } satisfies Exported;
  });
  return 'rule' in result ? { kind: 'refused', refusal: result } : result;
}

/** Writes the rows of a day's features that have a label. */
async function exportDay(
  connection: DuckDBConnection,
  { events, labels, features }: Definition,
  { part, file }: { readonly part: number; readonly file: string },
  out: string,
): Promise<{ readonly rows: number; readonly positives: number }> {
  const id = `CAST(part.${name(events.id)} AS ${typeOf(events.columns[events.id]) ?? 'VARCHAR'})`;
  const columns = features.columns.map((column) => `CAST(part.${name(column)} AS FLOAT) AS ${name(column)}`).join(', ');
  const value = name(labels.value);
  await connection.run(
    `CREATE OR REPLACE TABLE training_rows AS
     SELECT ${id} AS ${name(events.id)}, CAST(part.${name(events.time)} AS DATE) AS day, ${columns}, CAST(labelled.value AS INTEGER) AS ${value}
     FROM ${source(file)} AS part JOIN (FROM labelled WHERE part = ${part}) AS labelled ON labelled.id = ${id} ORDER BY 2, 1`,
  );
  await connection.run(`COPY training_rows TO ${literal(out)} (${PARQUET})`);
  const [counts = {}] = await rowsOf(
    connection,
    `SELECT count(*) AS rows, coalesce(sum(${value}), 0) AS positives FROM training_rows`,
  );
  return { rows: Number(counts['rows']), positives: Number(counts['positives']) };
}

/**
 * Loads feature files into table `features`: `_id`, `_day`, the features as they are written, and `_by_<column>` as text for
 * some. No column of a model begins with an underscore.
 */
export async function loadFeatures(
  connection: DuckDBConnection,
  definition: Definition,
  files: readonly string[],
  grouping: readonly string[] = [],
): Promise<Refusal | undefined> {
  const { events, features } = definition;
  const idType = typeOf(events.columns[events.id]) ?? 'VARCHAR';
  const columns = [
    ...features.columns.map((column) => `${name(column)} FLOAT`),
    ...grouping.map((column) => `${name(`_by_${column}`)} VARCHAR`),
  ];
  await connection.run(`CREATE TABLE features (_id ${idType}, _day DATE, ${columns.join(', ')})`);
  for (const file of files) {
    const refusal = await checkFeatureFile(connection, definition, file, grouping);
    if (refusal !== undefined) return refusal;
    const selected = [
      ...features.columns.map(name),
      ...grouping.map((column) => `CAST(${name(column)} AS VARCHAR)`),
    ].join(', ');
    await connection.run(
      `INSERT INTO features SELECT ${name(events.id)}, CAST(${name(events.time)} AS DATE), ${selected} FROM ${source(file)}`,
    );
  }
  return undefined;
}

/** The refusal of training rows of which there is none. */
function whyNoRow({ events, labels }: LabelJoins, features: readonly DayFile[]): Refusal {
  const days = `from ${features[0]?.day ?? '-'} to ${features.at(-1)?.day ?? '-'}`;
  return {
    rule: 'labels-match-events',
    found: `no label met an event: ${labels} labels had arrived, ${events} events are there ${days}`,
    remedy:
      'compare the ids of both: leading zeros, letters and white space, and the spelling of accents have to be the same',
  };
}

/**
 * Table `labelled` (part, id, value): which rows of which file have which label, joined once for all days, and what the join
 * loses. Files without the declared columns are refused, and an id that is there twice.
 */
async function joinLabels(
  connection: DuckDBConnection,
  definition: Definition,
  features: readonly DayFile[],
): Promise<Refusal | Omit<LabelJoins, keyof LabelCounts>> {
  const { events, labels } = definition;
  await createIds(connection, definition);
  for (const [part, { file }] of features.entries()) {
    const refusal = await checkFeatureFile(connection, definition, file);
    if (refusal !== undefined) return refusal;
    await connection.run(
      `INSERT INTO ids SELECT ${part}, ${name(events.id)}, ${name(events.time)} FROM ${source(file)}`,
    );
  }
  const [counts = {}] = await rowsOf(connection, 'SELECT count(*) AS rows, count(DISTINCT id) AS ids FROM ids');
  if (counts['rows'] !== counts['ids']) {
    const twice = await rowsOf(connection, 'SELECT id FROM ids GROUP BY id HAVING count(*) > 1 ORDER BY id LIMIT 3');
    return {
      rule: 'row-ids-unique',
      found: `${String(counts['rows'])} feature rows with ${String(counts['ids'])} ids, such as ${twice.map(({ id }) => String(id)).join(', ')}`,
      remedy: 'look for an event that is in the partitions of two days',
    };
  }
  await connection.run('CREATE TABLE labelled AS SELECT part, id, value FROM ids JOIN newest_labels USING (id)');
  const days = { first: features[0]?.day ?? '', last: features.at(-1)?.day ?? '' };
  const joins = await countJoins(connection, labels, { ...days, mature: '9999-12-31' });
  // Only what has a label is needed from here on, and memory is for the features.
  for (const table of ['ids', 'newest_labels']) await connection.run(`DROP TABLE ${table}`);
  return joins;
}

/** Whether a file of features has what is read of it. */
async function checkFeatureFile(
  connection: DuckDBConnection,
  { events, features }: Definition,
  file: string,
  grouping: readonly string[] = [],
): Promise<Refusal | undefined> {
  const declared: Columns = {
    [events.id]: typeOf(events.columns[events.id]) ?? 'VARCHAR',
    [events.time]: 'TIMESTAMP',
    ...Object.fromEntries(grouping.map((column) => [column, typeOf(events.columns[column]) ?? 'DOUBLE'])),
    ...Object.fromEntries(features.columns.map((column) => [column, 'DOUBLE' as const])),
  };
  const described = await describe(connection, file, `features ${file}`);
  return Array.isArray(described) ? checkSchema(described, declared, `features ${file}`) : described;
}

/** Table `newest_labels`: of an id's labels the one that arrived last; two that arrived at once are refused. */
async function newestLabels(connection: DuckDBConnection, { labels }: Definition): Promise<Refusal | undefined> {
  await rankLabels(connection, labels);
  await connection.run('DROP TABLE labels');
  const [counts = {}] = await rowsOf(
    connection,
    'SELECT count(*) AS rows, count(DISTINCT id) AS ids FROM newest_labels',
  );
  if (counts['rows'] === counts['ids']) return undefined;
  return {
    rule: 'newest-label-unique',
    found: `${String(counts['rows'])} newest labels for ${String(counts['ids'])} rows`,
    remedy: 'correct the label partitions at their source',
  };
}
