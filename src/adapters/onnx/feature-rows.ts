import type { DuckDBConnection } from '@duckdb/node-api';
import { name, withinMemory } from '#adapters/duckdb/database.ts';
import { checkSchema, describe, source } from '#adapters/duckdb/inputs.ts';
import type { Refusal } from '#domain/error.ts';
import type { ModelDefinition } from '#domain/model/definition.ts';

/** What reading a feature partition needs to know of a model. */
export type Definition = Pick<ModelDefinition, 'events' | 'features'>;
type Refused = { readonly kind: 'refused'; readonly refusal: Refusal };

/** Rows of a feature partition: ids as text, and the features row after row. */
export interface FeatureRows {
  readonly ids: readonly string[];
  readonly values: Float32Array;
}

/** Reads a feature partition; `rest` goes on after FROM. */
export async function readFeatures(
  connection: DuckDBConnection,
  file: string,
  { events, features }: Definition,
  rest: string,
): Promise<FeatureRows | Refusal> {
  const declared = {
    [events.id]: events.columns[events.id] ?? 'VARCHAR',
    ...Object.fromEntries(features.columns.map((column) => [column, 'DOUBLE'])),
  };
  const described = await describe(connection, file, 'feature partition');
  const refusal = Array.isArray(described) ? checkSchema(described, declared, 'feature partition') : described;
  if (refusal !== undefined) return refusal;
  const selected = features.columns.map((column) => `CAST(${name(column)} AS FLOAT)`).join(', ');
  const reader = await connection.runAndReadAll(
    `SELECT CAST(${name(events.id)} AS VARCHAR), ${selected} FROM ${source(file)} ${rest}`,
  );
  const [ids = [], ...columns] = reader.getColumnsJS();
  const values = new Float32Array(ids.length * columns.length);
  for (const [index, column] of columns.entries()) {
    for (const [row, value] of column.entries())
      values[row * columns.length + index] = typeof value === 'number' ? value : Number.NaN;
  }
  return { ids: ids.map(String), values };
}

/**
 * Rows for golden predictions, spread over a feature partition: first those with missing values, which models treat
 * in ways of their own, then others by the hash of their id.
 */
export async function sampleRows(
  features: string,
  definition: Definition,
  count = 20,
): Promise<{ readonly kind: 'sampled'; readonly rows: (number | null)[][] } | Refused> {
  return withinMemory({ memory: '512MB', about: () => 'features of a day' }, async (connection) => {
    const incomplete = definition.features.columns.map((column) => `${name(column)} IS NULL`).join(' OR ');
    const id = name(definition.events.id);
    const sample = `WHERE true QUALIFY row_number() OVER (PARTITION BY ${incomplete} ORDER BY md5(CAST(${id} AS VARCHAR))) <= CASE WHEN ${incomplete} THEN ${String(Math.ceil(count / 4))} ELSE ${String(count)} END
                    ORDER BY (${incomplete}) DESC, md5(CAST(${id} AS VARCHAR)) LIMIT ${String(count)}`;
    const read = await readFeatures(connection, features, definition, sample);
    if ('rule' in read) return { kind: 'refused', refusal: read };
    const width = definition.features.columns.length;
    const rows = read.ids.map((_, row) =>
      [...read.values.subarray(row * width, (row + 1) * width)].map((value) => (Number.isNaN(value) ? null : value)),
    );
    return { kind: 'sampled', rows };
  });
}
