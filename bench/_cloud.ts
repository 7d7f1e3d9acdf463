// A local cloud of a bench's own, with tables and buckets as the stacks define them.
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { CreateBucketCommand, PutBucketVersioningCommand, S3Client } from '@aws-sdk/client-s3';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { s3ArtifactStore } from '#adapters/aws/artifact-store.ts';
import { s3Lake } from '#adapters/aws/lake.ts';
import { dynamoLedger } from '#adapters/aws/ledger.ts';
import { startLocalCloud, stopLocalCloud } from '#local/emulator/cloud.ts';

/** The emulator's version, as `requirements.txt` pins it. */
export const MINISTACK = '1.5.33';

/** Starts a cloud that ends with the bench; `stores` makes the stores of an environment by a name. */
export async function benchCloud(sockets = 1) {
  const home = await mkdtemp(join(tmpdir(), 'gatehouse-bench-'));
  const cloud = await startLocalCloud({ home, controlAccount: '444444444444', persistent: false, owner: process.pid });
  const settings = {
    region: cloud.region,
    endpoint: cloud.endpoint,
    credentials: { accessKeyId: '333333333333', secretAccessKey: 'test' },
    requestHandler: { httpAgent: new Agent({ keepAlive: true, maxSockets: sockets }) },
  };
  const dynamodb = new DynamoDBClient(settings);
  const s3 = new S3Client({ ...settings, forcePathStyle: true });
  return {
    s3,
    async stores(name: string) {
      const tables = { ledger: `${name}-ledger`, catalogue: `${name}-catalogue` };
      for (const TableName of Object.values(tables))
        await dynamodb.send(
          new CreateTableCommand({
            TableName,
            BillingMode: 'PAY_PER_REQUEST',
            AttributeDefinitions: ['pk', 'sk'].map((key) => ({ AttributeName: key, AttributeType: 'S' })),
            KeySchema: [
              { AttributeName: 'pk', KeyType: 'HASH' },
              { AttributeName: 'sk', KeyType: 'RANGE' },
            ],
          }),
        );
      const buckets = { artifacts: `${name}-artifacts`, lake: `${name}-lake`, published: `${name}-published` };
      for (const Bucket of Object.values(buckets)) {
        await s3.send(new CreateBucketCommand({ Bucket }));
        const VersioningConfiguration = { Status: 'Enabled' } as const;
        await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration }));
      }
      return {
        buckets,
        ledger: dynamoLedger(DynamoDBDocumentClient.from(dynamodb), tables),
        releases: s3ArtifactStore(s3, buckets.artifacts),
        documents: s3ArtifactStore(s3, buckets.lake),
        lake: s3Lake(s3, buckets.lake),
        clock: { now: () => new Date() },
      };
    },
    async [Symbol.asyncDispose]() {
      await stopLocalCloud(home);
      await rm(home, { recursive: true, force: true });
    },
  };
}
export type BenchCloud = Awaited<ReturnType<typeof benchCloud>>;
export type BenchStores = Awaited<ReturnType<BenchCloud['stores']>>;
