import type { ModelDefinition } from '#domain/model/definition.ts';
import type { ScoredRow } from '#ports/prediction-rows.ts';
import { name, rowsOf, withDatabase } from './database.ts';
import { source } from './inputs.ts';

/** The rows of a prediction partition with the entities of its feature partition, in the order of the row ids. */
export function readScoredRows(
  { events }: Pick<ModelDefinition, 'events'>,
  files: { readonly features: string; readonly predictions: string },
): Promise<ScoredRow[]> {
  return withDatabase('512MB', async (connection) => {
    const rows = await rowsOf(
      connection,
      `SELECT row_id AS row, CAST(${name(events.entity)} AS VARCHAR) AS entity, prediction
       FROM ${source(files.predictions)} JOIN ${source(files.features)} ON CAST(${name(events.id)} AS VARCHAR) = row_id ORDER BY row_id`,
    );
    return rows.map(({ row, entity, prediction }) => ({
      row: String(row),
      entity: String(entity),
      prediction: Number(prediction),
    }));
  });
}
