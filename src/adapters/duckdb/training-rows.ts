import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { ENGINE_MEMORY } from '#domain/data/engine-limits.ts';
import type { LabelJoins } from '#domain/data/label-joins.ts';
import { addDays } from '#domain/data/partition.ts';
import { trainingRowsFile } from '#domain/data/training-plan.ts';
import type { Refusal } from '#domain/error.ts';
import type { ModelDefinition } from '#domain/model/definition.ts';
import { PARQUET, type Refused, literal, name, numberOf, rowsOf, withinMemory } from './database.ts';
import { checkSchema, describe, loadLabels, source, type DayFile } from './inputs.ts';

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
  const id = `CAST(part.${name(events.id)} AS ${events.columns[events.id] ?? 'VARCHAR'})`;
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
  const idType = events.columns[events.id] ?? 'VARCHAR';
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

/** Labels as they were delivered: how many, and how many say again or otherwise what an earlier one of the event said. */
async function countLabels(
  connection: DuckDBConnection,
  { labels }: Definition,
): Promise<Pick<LabelJoins, 'labels' | 'replaced' | 'corrected'>> {
  const [found = {}] = await rowsOf(
    connection,
    `SELECT coalesce(sum(rows), 0) AS labels, coalesce(sum(rows - 1), 0) AS replaced, count(*) FILTER (low <> high) AS corrected
     FROM (SELECT count(*) AS rows, min(${name(labels.value)}) AS low, max(${name(labels.value)}) AS high
           FROM labels GROUP BY ${name(labels.join)})`,
  );
  return {
    labels: Number(found['labels']),
    replaced: Number(found['replaced']),
    corrected: Number(found['corrected']),
  };
}

/** The refusal of training rows of which there is none. */
function whyNoRow({ events, labels }: LabelJoins, features: readonly DayFile[]): Refusal {
  const days = `from ${features[0]?.day ?? '-'} to ${features.at(-1)?.day ?? '-'}`;
  return {
    rule: 'labels meet events',
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
): Promise<Refusal | Omit<LabelJoins, 'labels' | 'replaced' | 'corrected'>> {
  const { events, labels } = definition;
  const idType = events.columns[events.id] ?? 'VARCHAR';
  await connection.run(`CREATE TABLE ids (part INTEGER, id ${idType}, happened TIMESTAMP)`);
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
      rule: 'a row id is there once',
      found: `${String(counts['rows'])} feature rows with ${String(counts['ids'])} ids, such as ${twice.map(({ id }) => String(id)).join(', ')}`,
      remedy: 'look for an event that is in the partitions of two days',
    };
  }
  await connection.run('CREATE TABLE labelled AS SELECT part, id, value FROM ids JOIN newest_labels USING (id)');
  const [found = {}] = await rowsOf(
    connection,
    `SELECT count(*) AS labelled, count(*) FILTER (arrived < happened) AS early FROM ids JOIN newest_labels USING (id)`,
  );
  // A label that arrives on the first days may be of an event before them, and one after the last day of a later one.
  const [first, last] = [features[0]?.day ?? '', features.at(-1)?.day ?? ''];
  const days = await rowsOf(
    connection,
    `SELECT CAST(CAST(arrived AS DATE) AS VARCHAR) AS day, count(*) AS due, count(*) FILTER (id NOT IN (SELECT id FROM ids)) AS unmatched
     FROM newest_labels WHERE CAST(CAST(arrived AS DATE) AS VARCHAR) BETWEEN ${literal(addDays(first, labels.matureAfterDays))} AND ${literal(last)}
     GROUP BY ALL ORDER BY 1`,
  );
  const byDay = days.map(({ day, due, unmatched }) => ({
    day: String(day),
    due: Number(due),
    unmatched: Number(unmatched),
  }));
  // Only what has a label is needed from here on, and memory is for the features.
  for (const table of ['ids', 'newest_labels']) await connection.run(`DROP TABLE ${table}`);
  return {
    events: Number(counts['rows']),
    labelled: Number(found['labelled']),
    early: Number(found['early']),
    due: byDay.reduce((sum, { due }) => sum + due, 0),
    unmatched: byDay.reduce((sum, { unmatched }) => sum + unmatched, 0),
    days: byDay.filter(({ unmatched }) => unmatched > 0),
  };
}

/** Whether a file of features has what is read of it. */
async function checkFeatureFile(
  connection: DuckDBConnection,
  { events, features }: Definition,
  file: string,
  grouping: readonly string[] = [],
): Promise<Refusal | undefined> {
  const declared = {
    [events.id]: events.columns[events.id] ?? 'VARCHAR',
    [events.time]: 'TIMESTAMP',
    ...Object.fromEntries(grouping.map((column) => [column, events.columns[column] ?? 'DOUBLE'])),
    ...Object.fromEntries(features.columns.map((column) => [column, 'DOUBLE'])),
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
    rule: 'a row has one newest label',
    found: `${String(counts['rows'])} newest labels for ${String(counts['ids'])} rows`,
    remedy: 'correct the label partitions at their source',
  };
}

/** Table `newest_labels` (id, value, arrived) with each label that no later one of the same id replaces; what is there twice is one. */
export async function rankLabels(connection: DuckDBConnection, labels: Definition['labels']): Promise<void> {
  await connection.run(
    `CREATE TABLE newest_labels AS
     SELECT DISTINCT labels.${name(labels.join)} AS id, labels.${name(labels.value)} AS value, labels.${name(labels.arrivedAt)} AS arrived FROM labels
     QUALIFY rank() OVER (PARTITION BY labels.${name(labels.join)} ORDER BY labels.${name(labels.arrivedAt)} DESC) = 1`,
  );
}
