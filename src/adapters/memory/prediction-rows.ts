import { checkItem } from '#domain/limits.ts';
import { rowKey } from '#domain/prediction/row-key.ts';
import type { PredictionRows, PublishedRow } from '#ports/prediction-rows.ts';

/** Published rows in memory, which pass the same contract suite as DynamoDB's. */
export function memoryPredictionRows(): PredictionRows {
  const rows = new Map<string, PublishedRow & { readonly model: string }>();
  return {
    async put(model, published) {
      for (const row of published) checkItem({ ...rowKey(model, row), ...row });
      for (const row of published)
        rows.set(JSON.stringify([model, row.entity, row.day, row.predictions, row.row]), { model, ...row });
    },
    async of(model, entity) {
      return [...rows.entries()]
        .filter(([, row]) => row.model === model && row.entity === entity)
        .toSorted(([a], [b]) => (a < b ? 1 : -1))
        .map(([, { model: _model, ...row }]) => row);
    },
  };
}
