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
      `SELECT scored.row_id AS row, CAST(built.${name(events.entity)} AS VARCHAR) AS entity, scored.prediction
       FROM ${source(files.predictions)} AS scored
       JOIN ${source(files.features)} AS built ON CAST(built.${name(events.id)} AS VARCHAR) = scored.row_id
       ORDER BY scored.row_id`,
    );
    return rows.map(({ row, entity, prediction }) => ({
      row: String(row),
      entity: typeof entity === 'string' ? entity : null,
      prediction: Number(prediction),
    }));
  });
}
