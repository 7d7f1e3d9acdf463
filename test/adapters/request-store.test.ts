import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { s3RequestStore } from '#adapters/aws/request-store.ts';
import { countAnswered } from '#adapters/duckdb/request-figures.ts';
import { memoryRequestStore } from '#adapters/memory/request-log.ts';
import type { RequestStore } from '#ports/request-log.ts';
import { clients, freshCloud, type TestCloud } from '#test/_helpers/cloud.ts';
import { loggedRequest } from '#test/domain/prediction/_logged.ts';

const [ACCOUNT, BUCKET] = ['333333333333', 'gatehouse-prod-lake-333333333333'];
let cloud: TestCloud;
let folder: string;
beforeAll(async () => {
  [cloud, folder] = [await freshCloud(), await mkdtemp(join(tmpdir(), 'gatehouse-requests-'))];
});
afterAll(async () => {
  await cloud[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

async function inS3(): Promise<RequestStore> {
  const client = clients(cloud, ACCOUNT).s3();
  await client.send(new CreateBucketCommand({ Bucket: BUCKET }));
  return s3RequestStore(client, BUCKET);
}

describe.each([
  ['S3', inS3],
  ['memory', async () => memoryRequestStore()],
])('the request log in %s', (name, make) => {
  it('knows the days of its events, and leaves out the minutes before one', async () => {
    const store = await make();
    const entry = (request: string, day: string, startedAt: string, milliseconds: number, model = 'toy') => ({
      request: loggedRequest({ request, model, day, startedAt, milliseconds }),
      raw: null,
    });
    const entries = [
      entry('early', '2026-03-01', '2026-03-02T07:59:59.999Z', 20),
      entry('first', '2026-03-01', '2026-03-02T08:00:00.000Z', 1001),
      entry('later', '2026-03-02', '2026-03-02T08:30:00.000Z', 1000),
      entry('last', '2026-03-02', '2026-03-02T09:00:00.000Z', 5000),
      entry('other', '2026-02-20', '2026-03-02T08:30:00.000Z', 1, 'other'),
    ];
    await store.add(entries);
    // A line that was delivered twice, among others the second time.
    await store.add(entries.slice(1, 3));
    expect(await store.days('toy')).toEqual(['2026-03-01', '2026-03-02']);
    expect(await store.days('none')).toEqual([]);
    const [from, until] = [new Date('2026-03-02T08:00:00.000Z'), new Date('2026-03-02T09:00:00.000Z')];
    const days = await store.days('toy');
    const home = await mkdtemp(join(folder, `${name}-`));
    const requests = (await Promise.all(days.map((day) => store.fetch('toy', day, home, from)))).flat();
    expect(await countAnswered({ requests, milliseconds: 1000, from, until })).toEqual({ answered: 2, slow: 1 });
    expect(await countAnswered({ requests: [], milliseconds: 1000, from, until })).toEqual({ answered: 0, slow: 0 });
  });
});
