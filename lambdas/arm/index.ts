// Without this function a candidate would take all requests or none: it answers those of one arm, by what the pointer names for that arm, and
// by nothing else. Only the endpoint of its model calls it. It runs foreign model files and SQL, locked in, and may write nothing.
import { mkdirSync, rmSync } from 'node:fs';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { z } from 'zod';
import { s3ArtifactStore } from '#adapters/aws/artifact-store.ts';
import { s3Lake } from '#adapters/aws/lake.ts';
import { dynamoLedger } from '#adapters/aws/ledger.ts';
import { onlineFeatures } from '#adapters/duckdb/online.ts';
import { onnxScoring } from '#adapters/onnx/scoring.ts';
import { readAggregates } from '#read-model/aggregates.ts';
import { armHandler } from '#runtime/arm.ts';
import { readEnvironment } from '#runtime/env.ts';
import { clock, Text } from '#runtime/wiring.ts';
import { armCore } from '#serving/arm-core.ts';

const { ARM, MODEL, LEDGER_TABLE, LAKE_BUCKET, ARTIFACT_BUCKET } = readEnvironment(
  z.object({
    ARM: z.enum(['candidate', 'control']),
    MODEL: Text,
    LEDGER_TABLE: Text,
    LAKE_BUCKET: Text,
    ARTIFACT_BUCKET: Text,
  }),
);
const FOLDER = '/tmp/arm';
// A process that was ended while it loaded has left its files.
rmSync(FOLDER, { recursive: true, force: true });
mkdirSync(FOLDER, { recursive: true });
// As in the endpoint: arms are compared, and differ in nothing but what they answer by.
const quick = {
  maxAttempts: 2,
  requestHandler: { connectionTimeout: 1000, requestTimeout: 5000, throwOnRequestTimeout: true },
};
const s3 = new S3Client(quick);
const ledger = dynamoLedger(DynamoDBDocumentClient.from(new DynamoDBClient(quick)), { ledger: LEDGER_TABLE });
const documents = s3ArtifactStore(s3, LAKE_BUCKET);

export const handler = armHandler(
  armCore(
    {
      model: MODEL,
      ledger,
      clock,
      artifacts: s3ArtifactStore(s3, ARTIFACT_BUCKET),
      lake: s3Lake(s3, LAKE_BUCKET),
      aggregates: { read: (model, basis) => readAggregates(ledger, documents, model, basis) },
      scoring: onnxScoring,
      features: onlineFeatures,
      folder: FOLDER,
    },
    ARM,
  ),
);
