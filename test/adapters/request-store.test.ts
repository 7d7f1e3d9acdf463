import { CreateBucketCommand, GetObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { s3NewestRequests } from '#adapters/aws/newest-requests.ts';
import { s3RequestStore } from '#adapters/aws/request-store.ts';
import { countArms } from '#adapters/duckdb/arm-counts.ts';
import { countAnswered } from '#adapters/duckdb/request-figures.ts';
import { memoryRequestStore } from '#adapters/memory/request-log.ts';
import { digestOf } from '#domain/canonical/digest.ts';
import { digestOfRows } from '#domain/data/event-json.ts';
import type { RequestEntry } from '#domain/prediction/request-log.ts';
import type { NewestRequests, RequestStore } from '#ports/request-log.ts';
import { clients, freshCloud, type TestCloud } from '#test/_helpers/cloud.ts';
import { failedRequest, loggedRequest } from '#test/domain/prediction/_logged.ts';

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

async function inS3(): Promise<Store> {
  const client = clients(cloud, ACCOUNT).s3();
  await client.send(new CreateBucketCommand({ Bucket: BUCKET }));
  return { ...s3RequestStore(client, BUCKET), ...s3NewestRequests(client, BUCKET) };
}

type Store = RequestStore & NewestRequests;

describe.each([
  ['S3', inS3],
  ['memory', async (): Promise<Store> => memoryRequestStore()],
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

  it('gives requests that nobody answered since a minute', async () => {
    const store = await make();
    const failed = (event: string, startedAt: string) =>
      failedRequest({ request: `call ${event}`, arm: 'candidate', event, startedAt });
    const home = await mkdtemp(join(folder, `${name}-`));
    const since = new Date('2026-03-02T08:00:00.000Z');
    expect(await store.fetchFailed('toy', home, since)).toEqual([]);
    await store.addFailed([
      failed('early', '2026-03-02T07:59:59.999Z'),
      failed('first', '2026-03-02T08:00:00.000Z'),
      failed('last', '2026-03-03T08:00:00.000Z'),
    ]);
    const asked = { from: '2026-03-01T00:00:00.000Z', until: '2026-03-04T00:00:00.000Z', sincePointerSeq: null };
    const read = { requests: [], failed: await store.fetchFailed('toy', home, since), ...asked, objectiveMs: null };
    expect((await countArms(read)).map(({ minute, candidate }) => [minute, candidate?.errors])).toEqual([
      ['2026-03-02T08:00:00.000Z', 1],
      ['2026-03-03T08:00:00.000Z', 1],
    ]);
    expect(await store.fetchFailed('other', home, since)).toEqual([]);
  });

  it('gives the newest requests of a release whose raw events are kept, whatever day their events are of', async () => {
    const store = await make();
    const entry = (
      request: string,
      startedAt: string,
      day: string,
      isKept = true,
      release = 'release',
    ): RequestEntry => {
      const event = { id: request };
      const events = [{ id: request, digest: digestOfRows(event), probability: 0.5 }];
      const about = { release: digestOf(release), context: digestOfRows([]), events };
      return {
        request: loggedRequest({ request, model: 'newest', startedAt, day, ...about }),
        raw: isKept ? { events: [event], context: [] } : null,
      };
    };
    const all = [
      entry('before', '2026-03-02T07:59:59.999Z', '2026-03-02'),
      entry('1', '2026-03-02T08:00:00.000Z', '2026-03-02'),
      entry('not kept', '2026-03-02T08:01:00.000Z', '2026-03-02', false),
      entry('2', '2026-03-02T08:01:30.000Z', '2026-03-01'),
      entry('other', '2026-03-02T08:01:40.000Z', '2026-03-02', true, 'other'),
      entry('3', '2026-03-02T08:02:00.000Z', '2026-03-02'),
      entry('4', '2026-03-02T08:02:10.000Z', '2026-03-01'),
      entry('after', '2026-03-02T09:00:00.000Z', '2026-03-02'),
    ];
    await store.add(all);
    await store.add(all.slice(3, 6));
    const asked = {
      model: 'newest',
      release: digestOf('release'),
      from: new Date('2026-03-02T08:00:00.000Z'),
      until: new Date('2026-03-02T09:00:00.000Z'),
    };
    const found = await store.readNewest({ ...asked, most: 10 });
    expect(found.requests.map(({ request }) => request)).toEqual(['1', '2', '3', '4']);
    expect(found.notKept).toBe(1);
    expect([...found.raw.keys()].toSorted()).toEqual(
      [digestOfRows([]), ...['1', '2', '3', '4'].map((id) => digestOfRows({ id }))].toSorted(),
    );
    const two = await store.readNewest({ ...asked, most: 2 });
    expect(two).toMatchObject({ requests: [{ request: '3' }, { request: '4' }], notKept: 0 });
    expect(await store.readNewest({ ...asked, model: 'none', most: 2 })).toMatchObject({ requests: [], notKept: 0 });
  });
});

it('requests that nobody answered lie in S3 by model and minute, a line for each, once however often they come together', async () => {
  const client = clients(cloud, ACCOUNT).s3();
  const bucket = `${BUCKET}-failed`;
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
  const store = s3RequestStore(client, bucket);
  const failed = [
    failedRequest({ request: 'first', startedAt: '2026-03-02T08:00:00.000Z' }),
    failedRequest({ request: 'second', startedAt: '2026-03-02T08:00:59.999Z', arm: 'candidate' }),
    failedRequest({ request: 'later', startedAt: '2026-03-02T08:01:00.000Z' }),
    failedRequest({ request: 'other', model: 'other' }),
  ];
  await store.addFailed(failed);
  await store.addFailed(failed);
  await store.addFailed([]);
  const { Contents: found = [] } = await client.send(new ListObjectsV2Command({ Bucket: bucket }));
  expect(found.map(({ Key: key }) => key)).toEqual([
    expect.stringMatching(/^other\/failed-requests\/2026-03-02T0800Z-[0-9a-f]{32}\.json$/),
    expect.stringMatching(/^toy\/failed-requests\/2026-03-02T0800Z-[0-9a-f]{32}\.json$/),
    expect.stringMatching(/^toy\/failed-requests\/2026-03-02T0801Z-[0-9a-f]{32}\.json$/),
  ]);
  const { Body: body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: found[1]?.Key ?? '' }));
  const lines = (await body?.transformToString())?.split('\n') ?? [];
  expect(lines.pop()).toBe('');
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(failed.slice(0, 2));
});
