// Rows as they are in files: what a test by rows makes of two models, what came true, and what a release said of it.
import type { DuckDBConnection } from '@duckdb/node-api';
import { z } from 'zod';
import { name, rowsOf, withDatabase } from '#adapters/duckdb/database.ts';
import { loadLabels, source } from '#adapters/duckdb/inputs.ts';
import { rankLabels } from '#adapters/duckdb/label-joins.ts';
import type { ModelDefinition } from '#domain/model/definition.ts';
import type { DayFile } from '#ports/feature-engine.ts';

/** Losses of two models on the same rows. */
export const RowTest = z.strictObject({
  rows: z.number(),
  /** Mean log loss per row, in nats. */
  champion: z.number(),
  candidate: z.number(),
  /** Mean saving over its standard error, as if rows were independent: the habit that is compared with. */
  z: z.number(),
});
export type RowTest = z.infer<typeof RowTest>;

/** Probabilities are clipped as the product's comparison does. */
const CLIP = 1e-6;

/** Compares two models' predictions by rows. */
export async function testByRows(
  definition: ModelDefinition,
  labels: readonly DayFile[],
  champion: readonly string[],
  candidate: readonly string[],
): Promise<RowTest> {
  return withDatabase('4GB', async (connection) => {
    await withLabels(connection, definition, labels);
    const loss = (p: string): string => {
      const clipped = `greatest(${CLIP}, least(${1 - CLIP}, ${p}))`;
      return `-ln(CASE WHEN value THEN ${clipped} ELSE 1 - ${clipped} END)`;
    };
    const [row = {}] = await rowsOf(
      connection,
      `SELECT count(*) AS rows, avg(a) AS champion, avg(b) AS candidate,
              avg(a - b) / nullif(stddev_samp(a - b) / sqrt(count(*)), 0) AS z
       FROM (SELECT ${loss('champion.prediction')} AS a, ${loss('candidate.prediction')} AS b
             FROM ${all(champion)} champion JOIN ${all(candidate)} candidate USING (row_id)
             JOIN newest_labels ON newest_labels.id = row_id)`,
    );
    return {
      rows: Number(row['rows']),
      champion: Number(row['champion']),
      candidate: Number(row['candidate']),
      z: Number(row['z'] ?? 0),
    };
  });
}

/** A day's flights in the order of their ids: what came true, when that was known, and where they left from. */
export interface Truth {
  readonly day: string;
  readonly late: Uint8Array;
  /** Milliseconds since 1970. */
  readonly arrivedAt: Float64Array;
  readonly entity: readonly string[];
}

/** What came true of days, from all labels that ever arrived. */
export async function truthOf(
  definition: ModelDefinition,
  features: readonly DayFile[],
  labels: readonly DayFile[],
  onDay: () => void,
): Promise<Map<string, Truth>> {
  const { events, labels: of } = definition;
  return withDatabase('6GB', async (connection) => {
    const refusal = await loadLabels(connection, definition, labels);
    if (refusal !== undefined) throw new Error(refusal.found);
    const found = new Map<string, Truth>();
    for (const { day, file } of features) {
      const columns = await columnsOf(
        connection,
        `SELECT CAST(${name(of.value)} AS DOUBLE), CAST(epoch_ms(${name(of.arrivedAt)}) AS DOUBLE), ${name(events.entity)}
         FROM ${source(file)} features JOIN labels USING (${name(events.id)}) ORDER BY ${name(events.id)}`,
      );
      const [late = [], arrivedAt = [], entity = []] = columns;
      found.set(day, {
        day,
        late: Uint8Array.from(late, Number),
        arrivedAt: Float64Array.from(arrivedAt, Number),
        entity: entity.map(String),
      });
      onDay();
    }
    return found;
  });
}

/** Predictions of a file in the order of the row ids. */
export async function predictionsOf(file: string): Promise<Float64Array> {
  return withDatabase('1GB', async (connection) => {
    const [column = []] = await columnsOf(connection, `SELECT prediction FROM ${source(file)} ORDER BY row_id`);
    return Float64Array.from(column, Number);
  });
}

async function withLabels(
  connection: DuckDBConnection,
  definition: ModelDefinition,
  labels: readonly DayFile[],
): Promise<void> {
  const refusal = await loadLabels(connection, definition, labels);
  if (refusal !== undefined) throw new Error(refusal.found);
  await rankLabels(connection, definition.labels);
}

async function columnsOf(connection: DuckDBConnection, sql: string): Promise<unknown[][]> {
  return (await connection.runAndReadAll(sql)).getColumnsJS();
}

function all(files: readonly string[]): string {
  return `(${files.map((file) => `SELECT row_id, prediction FROM ${source(file)}`).join(' UNION ALL ')})`;
}
