import { type DuckDBDataChunk, DuckDBMaterializedResult } from '@duckdb/node-api';
import { describe, expect, it } from 'vitest';
import { withDatabase } from '#adapters/duckdb/database.ts';
import { copyFloats, doublesFunction, isTrueThroughout } from '#adapters/duckdb/vectors.ts';

/** The rows of a query, a chunk at a time. */
function chunksOf(sql: string): Promise<readonly DuckDBDataChunk[]> {
  return withDatabase('256MB', async (connection) => {
    const result: DuckDBMaterializedResult = await connection.run(sql);
    return Array.from({ length: result.chunkCount }, (_, index) => result.getChunk(index));
  });
}

describe('copyFloats', () => {
  const ROWS = 5000;
  const isNull = (row: number): boolean => row % 7 === 3 || (row >= 64 && row < 200);
  const sql = `SELECT CASE WHEN NOT (i % 7 = 3 OR (i >= 64 AND i < 200)) THEN (i / 3)::FLOAT END, -i::FLOAT FROM range(${ROWS}) t(i)`;

  it('copies what the driver reads value by value, with NaN for a null, whatever the size of the chunks', async () => {
    const to = new Float32Array(ROWS * 2);
    let first = 0;
    for (const chunk of await chunksOf(sql)) {
      for (const column of [0, 1]) copyFloats(chunk, column, chunk.rowCount, to, first * 2 + column, 2);
      first += chunk.rowCount;
    }
    expect(first).toBe(ROWS);
    const expected = Array.from({ length: ROWS }, (_, row) => [isNull(row) ? Number.NaN : Math.fround(row / 3), -row]);
    expect([...to]).toEqual(expected.flat());
  });

  it('keeps infinities and the sign of a zero', async () => {
    const to = new Float32Array(5);
    const values = "VALUES ('Infinity'::FLOAT), ('-Infinity'::FLOAT), ('-0'::FLOAT), ('NaN'::FLOAT), (NULL)";
    for (const chunk of await chunksOf(values)) copyFloats(chunk, 0, chunk.rowCount, to, 0, 1);
    expect([...to]).toEqual([Infinity, -Infinity, -0, Number.NaN, Number.NaN]);
  });
});

describe('isTrueThroughout', () => {
  it.each([
    ['i >= 0', true],
    ['i <> 2000', false],
    ['i <> 0', false],
    ['i < 2047', false],
  ])('says of %s in each of 2048 rows: %s', async (condition, expected) => {
    const [chunk] = await chunksOf(`SELECT i, ${condition} FROM range(2048) t(i)`);
    expect(chunk && isTrueThroughout(chunk, 1, chunk.rowCount)).toBe(expected);
  });
});

describe('doublesFunction', () => {
  it('has the rows that were set last, as often as it is read', async () => {
    await withDatabase('256MB', async (connection) => {
      const set = doublesFunction(connection, 'numbers', 'number');
      const read = async () => (await connection.runAndReadAll('FROM numbers()')).getColumnsObjectJS()['number'] ?? [];
      expect(await read()).toEqual([]);
      for (const count of [5000, 0, 2048, 1]) {
        const values = Float64Array.from({ length: count }, (_, row) => row / 7);
        set(values);
        expect(await read()).toEqual([...values]);
        expect(await read()).toEqual([...values]);
      }
    });
  });
});
