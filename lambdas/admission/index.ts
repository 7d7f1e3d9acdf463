// Without this function nothing that producers write would ever become data: it admits partitions whose marker is there
// and whose files can be read as declared, by version and hash, and keeps every version that there was.
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { z } from 'zod';
import { putEvent } from '#adapters/aws/announcements.ts';
import { s3ArtifactStore } from '#adapters/aws/artifact-store.ts';
import { s3Landing } from '#adapters/aws/landing.ts';
import { checkPartition } from '#adapters/duckdb/check-partition.ts';
import { readDeployedModels } from '#runtime/deployed-models.ts';
import { readEnvironment } from '#runtime/env.ts';
import { queueHandler } from '#runtime/queue.ts';
import { clock, ledgerOf, s3, Text } from '#runtime/wiring.ts';
import { admitPartition } from '#use-cases/admission/admit-partition.ts';

const { ENVIRONMENT, LEDGER_TABLE, CATALOGUE_TABLE, LANDING_BUCKET, ARTIFACT_BUCKET, BUS } = readEnvironment(
  z.object({
    ENVIRONMENT: Text,
    LEDGER_TABLE: Text,
    CATALOGUE_TABLE: Text,
    LANDING_BUCKET: Text,
    ARTIFACT_BUCKET: Text,
    BUS: Text,
  }),
);
const events = new EventBridgeClient();
const deps = {
  environment: ENVIRONMENT,
  ledger: ledgerOf({ ledger: LEDGER_TABLE, catalogue: CATALOGUE_TABLE }),
  clock,
  engine: { checkPartition },
  releases: s3ArtifactStore(s3, ARTIFACT_BUCKET),
  landing: s3Landing(s3, LANDING_BUCKET),
  deployed: readDeployedModels(),
  announce: ({ model, kind, day, version }: { model: string; kind: string; day: string; version: number }) =>
    putEvent(events, BUS, 'PARTITION_ADMITTED', { model, kind, day, version }),
};
/** S3's event by EventBridge, or the short form in which `gatehouse data import` sends a key again. */
const Message = z.union([
  z
    .object({ detail: z.object({ object: z.object({ key: z.string() }) }) })
    .transform(({ detail }) => detail.object.key),
  z.object({ key: z.string() }).transform(({ key }) => key),
]);

export const handler: (event: SQSEvent) => Promise<SQSBatchResponse> = queueHandler(Message, (key) =>
  admitPartition(deps, key),
);
