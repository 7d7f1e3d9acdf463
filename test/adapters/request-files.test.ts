import { S3Client } from '@aws-sdk/client-s3';
import { expect, it } from 'vitest';
import { s3RequestStore } from '#adapters/aws/request-store.ts';

const DAY = '2026-03-02';
const SINCE = new Date('2026-03-02T08:00:00.000Z');

/** S3 that lists so many files of a day, in pages, and has none of them. */
function listing(files: number): S3Client {
  const client = new S3Client({ region: 'us-east-1' });
  let listed = 0;
  const send = async (command: { readonly input: { readonly Prefix?: string } }) => {
    const { Prefix: prefix } = command.input;
    if (prefix === undefined) return {};
    const page = Math.min(1000, files - listed);
    const keys = Array.from({ length: page }, (_, index) => `${prefix}2026-03-02T0800Z-${listed + index}.parquet`);
    listed += page;
    return {
      Contents: keys.map((key) => ({ Key: key })),
      ...(listed < files ? { NextContinuationToken: 'next' } : {}),
    };
  };
  return Object.assign(client, { send });
}

it.each([
  ['of a day', 20_000, undefined],
  ['since a moment', 50_000, SINCE],
])('files %s are read up to %d, and refused by their number above it', async (_, most, since) => {
  const fetched = (files: number) => s3RequestStore(listing(files), 'bucket').fetch('toy', DAY, '/nowhere', since);
  await expect(fetched(most + 1)).rejects.toMatchObject({
    code: 'REQUESTS_TOO_MANY',
    message: expect.stringContaining(`${most + 1} files`),
  });
  // As many are asked for, one by one.
  await expect(fetched(most)).rejects.toMatchObject({ code: 'ARTIFACT_MISSING' });
});
