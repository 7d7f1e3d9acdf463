// Without this function no feature, no training row and no comparison would be made. It runs untrusted SQL, locked in, and
// holds no ledger right and no signing right: it can measure, and it can neither judge nor move anything.
import { z } from 'zod';
import { s3RequestStore } from '#adapters/aws/request-store.ts';
import { s3TrainingData } from '#adapters/aws/training.ts';
import * as engine from '#adapters/duckdb/engine.ts';
import { readEnvironment } from '#runtime/env.ts';
import { tasks } from '#runtime/tasks.ts';
import { clock, s3, storesOf, Text } from '#runtime/wiring.ts';
import { buildDailyPartition, buildFeaturePartition } from '#use-cases/data/build-partitions.ts';
import { measureComparison } from '#use-cases/data/measure-comparison.ts';
import { stageData } from '#use-cases/data-quality/stage-data.ts';
import { measureCanary } from '#use-cases/canary/measure-canary.ts';
import { measureStability } from '#use-cases/drift/measure-stability.ts';
import { recomputeFeatures } from '#use-cases/drift/recompute-features.ts';
import { measureAnswers } from '#use-cases/requests/measure-answers.ts';
import { measureLatency } from '#use-cases/promotion/measure-latency.ts';
import { checkRequestLog } from '#use-cases/rollback/check-request-log.ts';
import { checkSourceData } from '#use-cases/rollback-readiness/check-source-data.ts';
import { exportTrainingRows } from '#use-cases/retraining/export-training-rows.ts';

const { LAKE_BUCKET, ARTIFACT_BUCKET, TRAINING_BUCKET } = readEnvironment(
  z.object({ LAKE_BUCKET: Text, ARTIFACT_BUCKET: Text, TRAINING_BUCKET: Text.optional() }),
);
const deps = {
  engine,
  ...storesOf({ LAKE_BUCKET, ARTIFACT_BUCKET }),
};
const requests = s3RequestStore(s3, LAKE_BUCKET);
const training = TRAINING_BUCKET === undefined ? undefined : s3TrainingData(s3, TRAINING_BUCKET);
const daily = buildDailyPartition(deps);
const features = buildFeaturePartition(deps);
const measured = measureCanary({ ...deps, requests, clock });

export const handler = tasks({
  'Build daily partition': daily,
  'Build daily shard': daily,
  'Build aggregates': daily,
  'Build feature partition': features,
  'Build feature shard': features,
  'Check request log': checkRequestLog({ ...deps, requests, clock }),
  'Check source data': checkSourceData(deps),
  'Measure answers': measureAnswers({ ...deps, requests }),
  'Measure latency': measureLatency({ ...deps, requests }),
  'Measure traffic': measured,
  'Measure canary': measured,
  'Measure comparison': measureComparison(deps),
  'Measure stability': measureStability(deps),
  'Recompute features': recomputeFeatures(deps),
  ...(training === undefined
    ? {}
    : {
        'Stage data': stageData({ ...deps, training }),
        'Export training rows': exportTrainingRows({ ...deps, training }),
      }),
});
