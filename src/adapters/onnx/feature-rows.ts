import type { DuckDBConnection } from '@duckdb/node-api';
import { name, withinMemory } from '#adapters/duckdb/database.ts';
import { checkSchema, type Columns, describe, source } from '#adapters/duckdb/inputs.ts';
import { copyFloats, isTrueThroughout } from '#adapters/duckdb/vectors.ts';
import type { Refusal } from '#domain/refusal/refusal.ts';
import { type ModelDefinition, typeOf } from '#domain/model/definition.ts';

/** What reading a feature partition needs to know of a model. */
export type Definition = Pick<ModelDefinition, 'events' | 'features'>;
type Refused = { readonly kind: 'refused'; readonly refusal: Refusal };

/** Rows of a feature partition: how many, and their features row after row; a missing value is NaN. */
export interface FeatureRows {
  readonly count: number;
  readonly values: Float32Array;
}

/** Rows as they were read; `inOrder` says whether each follows in the file on a row whose id is smaller as text. */
interface ReadRows extends FeatureRows {
  readonly inOrder: boolean;
}

/** Reads a feature partition; `rest` goes on after FROM. */
export async function readFeatures(
  connection: DuckDBConnection,
  file: string,
  { events, features }: Definition,
  rest = '',
): Promise<ReadRows | Refusal> {
  const declared: Columns = {
    [events.id]: typeOf(events.columns[events.id]) ?? 'VARCHAR',
    ...Object.fromEntries(features.columns.map((column) => [column, 'DOUBLE' as const])),
  };
  const described = await describe(connection, file, 'feature partition');
  const refusal = Array.isArray(described) ? checkSchema(described, declared, 'feature partition') : described;
  if (refusal !== undefined) return refusal;
  const width = features.columns.length;
  const selected = features.columns.map((column) => `CAST(${name(column)} AS FLOAT)`).join(', ');
  const id = idText(events);
  const follows = `coalesce(${id} > lag(${id}, 1, '') OVER (), false)`;
  // Whole before it is looked at: of a result that is streamed, an error midway is taken for its end.
  const result = await connection.run(`SELECT ${selected}, ${follows} FROM ${source(file)} ${rest}`);
  const count = result.rowCount;
  const values = new Float32Array(count * width);
  let inOrder = true;
  for (let index = 0, first = 0; first < count; index += 1) {
    const chunk = result.getChunk(index);
    // Asked once: the answer comes from native code.
    const rows = chunk.rowCount;
    for (let column = 0; column < width; column += 1)
      copyFloats(chunk, column, rows, values, first * width + column, width);
    inOrder &&= isTrueThroughout(chunk, width, rows);
    first += rows;
  }
  return { count, values, inOrder };
}

/** The ids of a feature partition's rows as text, in the order of `readFeatures`. */
export async function readIds(
  connection: DuckDBConnection,
  file: string,
  { events }: Pick<Definition, 'events'>,
): Promise<readonly string[]> {
  const reader = await connection.runAndReadAll(`SELECT ${idText(events)} FROM ${source(file)}`);
  return (reader.getColumnsJS()[0] ?? []).map(String);
}

/** A row's id as predictions name it, as SQL. */
export function idText(events: Definition['events']): string {
  return `CAST(${name(events.id)} AS VARCHAR)`;
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
    const rows = Array.from({ length: read.count }, (_, row) =>
      [...read.values.subarray(row * width, (row + 1) * width)].map((value) => (Number.isNaN(value) ? null : value)),
    );
    return { kind: 'sampled', rows };
  });
}
