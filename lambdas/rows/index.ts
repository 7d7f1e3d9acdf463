// Without this function predictions could be read by partition only: it puts their rows where they are looked up by
// entity. It runs no foreign code, and holds no right on the ledger: which rows count, the manifests say.
import { z } from 'zod';
import { dynamoPredictionRows } from '#adapters/aws/prediction-rows.ts';
import { readScoredRows } from '#adapters/duckdb/scored-rows.ts';
import { SCORER } from '#domain/data/engines.ts';
import { readEnvironment } from '#runtime/env.ts';
import { tasks } from '#runtime/tasks.ts';
import { clock, dynamoDb, storesOf, Text } from '#runtime/wiring.ts';
import { publishRows } from '#use-cases/inference/publish-rows.ts';

const { LAKE_BUCKET, ARTIFACT_BUCKET, PREDICTION_TABLE } = readEnvironment(
  z.object({ LAKE_BUCKET: Text, ARTIFACT_BUCKET: Text, PREDICTION_TABLE: Text }),
);

export const handler = tasks({
  'Publish rows': publishRows({
    ...storesOf({ LAKE_BUCKET, ARTIFACT_BUCKET }),
    rows: dynamoPredictionRows(dynamoDb(), PREDICTION_TABLE),
    readRows: readScoredRows,
    clock,
    scorer: SCORER,
  }),
});
