import { DOUBLE, type DuckDBConnection, type DuckDBDataChunk, DuckDBTableFunction } from '@duckdb/node-api';
import duckdb from '@duckdb/node-bindings';

// The driver's own vectors hand values out one by one and look each up in a mask of 64-bit integers, which takes up to
// ten times as long as its bindings, where a column is one array.

/** Rows that the engine has in one piece. */
const CHUNK = duckdb.vector_size();

/** Copies a FLOAT column of a chunk into every `step`th place of `to`, from `at` on; a null becomes NaN. */
export function copyFloats(
  chunk: DuckDBDataChunk,
  column: number,
  rows: number,
  to: Float32Array,
  at: number,
  step: number,
): void {
  const vector = duckdb.data_chunk_get_vector(chunk.chunk, column);
  const bytes = duckdb.vector_get_data(vector, rows * Float32Array.BYTES_PER_ELEMENT);
  const items = new Float32Array(bytes.buffer, bytes.byteOffset, rows);
  for (let row = 0, place = at; row < rows; row += 1, place += step) to[place] = items[row] ?? Number.NaN;
  // One bit per row, in words of 64; there are none where no row is null, which the driver's types do not say.
  const valid: Uint8Array | null = duckdb.vector_get_validity(vector, Math.ceil(rows / 64) * 8);
  if (valid === null) return;
  for (let row = 0; row < rows; row += 1)
    if ((((valid[row >> 3] ?? 0) >> (row & 7)) & 1) === 0) to[at + row * step] = Number.NaN;
}

/** Whether a BOOLEAN column of a chunk, in which nothing is null, is true in all rows. */
export function isTrueThroughout(chunk: DuckDBDataChunk, column: number, rows: number): boolean {
  return !duckdb.vector_get_data(duckdb.data_chunk_get_vector(chunk.chunk, column), rows).includes(0);
}

/**
 * Gives a connection a table function of one DOUBLE column, and answers how to set its rows: a table of them would be
 * written and measured before it is read once.
 */
export function doublesFunction(
  connection: DuckDBConnection,
  name: string,
  column: string,
): (values: Float64Array) => void {
  let values: Float64Array = new Float64Array();
  let next = 0;
  connection.registerTableFunction(
    DuckDBTableFunction.create({
      name,
      bindFunction: (bound) => {
        bound.addResultColumn(column, DOUBLE);
        bound.setCardinality(values.length, true);
      },
      initFunction: (scan) => {
        scan.setMaxThreads(1);
        next = 0;
      },
      mainFunction: (_, chunk) => {
        const part = new Float64Array(values.subarray(next, next + CHUNK));
        chunk.rowCount = part.length;
        duckdb.copy_data_to_vector(duckdb.data_chunk_get_vector(chunk.chunk, 0), 0, part.buffer, 0, part.byteLength);
        next += part.length;
      },
    }),
  );
  return (given) => {
    values = given;
  };
}
