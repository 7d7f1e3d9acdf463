import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readScoredRows } from '#adapters/duckdb/scored-rows.ts';
import { compileModel } from '#model/compile.ts';
import { workspace } from './_fixture.ts';

const { parquet } = workspace();

it('gives the rows of a prediction partition with the entities of its features, in the order of the row ids', async () => {
  const { events } = await compileModel(join(import.meta.dirname, '../../models/card-fraud'));
  const features = await parquet(
    'features.parquet',
    "SELECT i::BIGINT AS payment_id, CASE WHEN i = 10 THEN NULL ELSE 'card-' || (i % 2) END AS card, 0.5::FLOAT AS amount FROM (VALUES (10), (9)) AS t(i)",
  );
  const predictions = await parquet(
    'predictions.parquet',
    "SELECT row_id, prediction FROM (VALUES ('9', 0.25), ('10', 0.5)) AS t(row_id, prediction)",
  );
  expect(await readScoredRows({ events }, { features, predictions })).toEqual([
    { row: '10', entity: null, prediction: 0.5 },
    { row: '9', entity: 'card-1', prediction: 0.25 },
  ]);
});
