import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { z } from 'zod';
import { s3ArtifactStore } from '#adapters/aws/artifact-store.ts';
import { s3Lake } from '#adapters/aws/lake.ts';
import { dynamoLedger, type LedgerTables } from '#adapters/aws/ledger.ts';
import type { Clock } from '#ports/clock.ts';
import type { Ledger } from '#ports/ledger.ts';

/** The wall clock. */
export const clock: Clock = { now: () => new Date() };

/** The S3 client of a function. */
export const s3 = new S3Client();

/** DynamoDB's document client of a function. */
export function dynamoDb(): DynamoDBDocumentClient {
  return DynamoDBDocumentClient.from(new DynamoDBClient(), { marshallOptions: { removeUndefinedValues: false } });
}

/** The ledger of a function. */
export function ledgerOf(tables: LedgerTables): Ledger {
  return dynamoLedger(dynamoDb(), tables);
}

/** The lake, the documents in it and the releases of a function. */
export function storesOf(buckets: { readonly LAKE_BUCKET: string; readonly ARTIFACT_BUCKET: string }) {
  return {
    lake: s3Lake(s3, buckets.LAKE_BUCKET),
    documents: s3ArtifactStore(s3, buckets.LAKE_BUCKET),
    releases: s3ArtifactStore(s3, buckets.ARTIFACT_BUCKET),
  };
}

/** A value that is not empty. */
export const Text = z.string().min(1);

/** A JSON object of texts in an environment variable, such as the peers' buckets. */
export const TextMap = z.string().transform((text) => z.record(z.string(), z.string()).parse(JSON.parse(text)));

/** Looks a name up, or says which there are. */
export function lookUp(map: Readonly<Record<string, string>>, what: string): (name: string) => string {
  return (name) => {
    const found = map[name];
    if (found === undefined)
      throw new Error(`no ${what} of ${name} is known here; there are: ${Object.keys(map).join(', ')}`);
    return found;
  };
}
