import { readFile, rm } from 'node:fs/promises';
import type { DuckDBConnection } from '@duckdb/node-api';
import { digestOf } from '#domain/canonical/digest.ts';
import type { Refusal } from '#domain/error.ts';
import type { ModelDefinition } from '#domain/model/definition.ts';
import { PARQUET, type Refused, literal, name, rowsOf, withDatabase } from './database.ts';
import type { Built } from './featurizer.ts';
import { checkSchema, describe, loadLabels, source, type DayFile } from './inputs.ts';

/** Training rows that were made, with what a person looks at first. */
export type Exported = Built & { readonly positives: number };

type Definition = Pick<ModelDefinition, 'events' | 'labels' | 'features'>;

/**
 * Joins features with the labels that had arrived, as `out`: id, day, the features and the label as 0 or 1, in the order
 * of days and ids. The label that arrived last counts; ids that are there twice are refused, never chosen from.
 */
export async function exportTrainingRows(input: {
  readonly features: readonly string[];
  readonly labels: readonly DayFile[];
  readonly definition: Definition;
  readonly out: string;
  readonly memory?: string;
}): Promise<Exported | Refused> {
  const { features, labels, definition, out, memory = '2GB' } = input;
  const result = await withDatabase(memory, async (connection) => {
    const refusal =
      (await loadFeatures(connection, definition, features)) ??
      (await loadLabels(connection, definition, labels)) ??
      (await checkIds(connection)) ??
      (await newestLabels(connection, definition));
    if (refusal !== undefined) return refusal;
    const columns = definition.features.columns.map(name).join(', ');
    const value = name(definition.labels.value);
    await rm(out, { force: true });
    await connection.run(
      `CREATE TABLE training_rows AS
       SELECT id AS ${name(definition.events.id)}, day, ${columns}, CAST(value AS INTEGER) AS ${value}
       FROM features JOIN newest_labels USING (id) ORDER BY day, id`,
    );
    await connection.run(`COPY training_rows TO ${literal(out)} (${PARQUET})`);
    const [counts = {}] = await rowsOf(
      connection,
      `SELECT count(*) AS rows, coalesce(sum(${value}), 0) AS positives FROM training_rows`,
    );
    const sha256 = digestOf(await readFile(out));
    return {
      kind: 'built',
      rows: Number(counts['rows']),
      positives: Number(counts['positives']),
      sha256,
    } satisfies Exported;
  });
  return 'rule' in result ? { kind: 'refused', refusal: result } : result;
}

/** Loads feature files into table `features`: `id`, `day`, the features as they are written, and `by_<column>` as text for some. */
export async function loadFeatures(
  connection: DuckDBConnection,
  { events, features }: Definition,
  files: readonly string[],
  grouping: readonly string[] = [],
): Promise<Refusal | undefined> {
  const idType = events.columns[events.id] ?? 'VARCHAR';
  const columns = [
    ...features.columns.map((column) => `${name(column)} FLOAT`),
    ...grouping.map((column) => `${name(`by_${column}`)} VARCHAR`),
  ];
  await connection.run(`CREATE TABLE features (id ${idType}, day DATE, ${columns.join(', ')})`);
  const declared = {
    [events.id]: idType,
    [events.time]: 'TIMESTAMP',
    ...Object.fromEntries(grouping.map((column) => [column, events.columns[column] ?? 'DOUBLE'])),
    ...Object.fromEntries(features.columns.map((column) => [column, 'DOUBLE'])),
  };
  for (const file of files) {
    const described = await describe(connection, file, `features ${file}`);
    const refusal = Array.isArray(described) ? checkSchema(described, declared, `features ${file}`) : described;
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

async function checkIds(connection: DuckDBConnection): Promise<Refusal | undefined> {
  const [counts = {}] = await rowsOf(connection, 'SELECT count(*) AS rows, count(DISTINCT id) AS ids FROM features');
  if (counts['rows'] === counts['ids']) return undefined;
  return {
    rule: 'a row id is there once',
    found: `${String(counts['rows'])} feature rows with ${String(counts['ids'])} ids`,
    remedy: 'look for an event that is in the partitions of two days',
  };
}

/** Table `newest_labels` (id, value): of an id's labels the one that arrived last; two that arrived at once are refused. */
async function newestLabels(connection: DuckDBConnection, { labels }: Definition): Promise<Refusal | undefined> {
  await rankLabels(connection, labels);
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

/** Table `newest_labels` with each label that no later one of the same id replaces. */
export async function rankLabels(connection: DuckDBConnection, labels: Definition['labels']): Promise<void> {
  await connection.run(
    `CREATE TABLE newest_labels AS
     SELECT ${name(labels.join)} AS id, ${name(labels.value)} AS value FROM labels
     QUALIFY rank() OVER (PARTITION BY ${name(labels.join)} ORDER BY ${name(labels.arrivedAt)} DESC) = 1`,
  );
}
