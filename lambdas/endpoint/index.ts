// Without this function nobody would get a prediction on request: it answers from the release that the pointer names, and
// from no other, and calls the functions of the arms while the traffic is divided. It runs foreign model files and SQL, locked in; all that it
// may write is an entry of the request log that is too long for a line.
import { mkdirSync, rmSync } from 'node:fs';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { KMSClient } from '@aws-sdk/client-kms';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { S3Client } from '@aws-sdk/client-s3';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { z } from 'zod';
import { lambdaArms } from '#adapters/aws/arms.ts';
import { s3ArtifactStore } from '#adapters/aws/artifact-store.ts';
import { s3Lake } from '#adapters/aws/lake.ts';
import { dynamoLedger } from '#adapters/aws/ledger.ts';
import { embeddedMetrics } from '#adapters/aws/metrics.ts';
import { lineRequestLog } from '#adapters/aws/request-log.ts';
import { onlineFeatures } from '#adapters/duckdb/online.ts';
import { onnxScoring } from '#adapters/onnx/scoring.ts';
import { readAggregates } from '#read-model/aggregates.ts';
import { written } from '#runtime/written.ts';
import { readEnvironment } from '#runtime/env.ts';
import { httpApiHandler } from '#runtime/http-api.ts';
import { clock, Text } from '#runtime/wiring.ts';
import { servingCore } from '#serving/server.ts';

const environment = readEnvironment(
  z.object({
    ENVIRONMENT: Text,
    MODEL: Text,
    LEDGER_TABLE: Text,
    LAKE_BUCKET: Text,
    ARTIFACT_BUCKET: Text,
    REQUEST_LOG_KEY: Text,
    RETENTION_DAYS: z.coerce.number().int().nonnegative(),
    ARM_CANDIDATE: Text,
    ARM_CONTROL: Text,
  }),
);
const { MODEL, LEDGER_TABLE, LAKE_BUCKET, ARTIFACT_BUCKET } = environment;
const FOLDER = '/tmp/endpoint';
// A process that was ended while it loaded has left its files.
rmSync(FOLDER, { recursive: true, force: true });
mkdirSync(FOLDER, { recursive: true });
const metrics = embeddedMetrics(clock, (line) => process.stdout.write(`${line}\n`));
// A service that hangs must be seen to be the reason while there is time to say so.
const quick = {
  maxAttempts: 2,
  requestHandler: { connectionTimeout: 1000, requestTimeout: 5000, throwOnRequestTimeout: true },
};
/** Its budget is the plan's, and a second attempt would take a second one. */
const once = { maxAttempts: 1, requestHandler: { connectionTimeout: 1000 } };
const s3 = new S3Client(quick);
const ledger = dynamoLedger(DynamoDBDocumentClient.from(new DynamoDBClient(quick)), { ledger: LEDGER_TABLE });
const documents = s3ArtifactStore(s3, LAKE_BUCKET);

export const handler = httpApiHandler(
  servingCore({
    environment: environment.ENVIRONMENT,
    model: MODEL,
    metrics,
    ledger,
    clock,
    artifacts: s3ArtifactStore(s3, ARTIFACT_BUCKET),
    lake: s3Lake(s3, LAKE_BUCKET),
    aggregates: { read: (model, basis) => readAggregates(ledger, documents, model, basis) },
    scoring: onnxScoring,
    features: onlineFeatures,
    folder: FOLDER,
    arms: lambdaArms(new LambdaClient(once), {
      candidate: environment.ARM_CANDIDATE,
      control: environment.ARM_CONTROL,
    }),
    log: lineRequestLog({
      kms: new KMSClient(quick),
      keyId: environment.REQUEST_LOG_KEY,
      s3,
      bucket: LAKE_BUCKET,
      model: MODEL,
      keepsEvents: environment.RETENTION_DAYS > 0,
      metrics,
      writeLine: (line) => written(process.stdout, `${line}\n`),
    }),
  }),
);
