import {
  CreateBucketCommand,
  DeleteObjectCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { s3ArtifactStore } from '#adapters/aws/artifact-store.ts';
import { s3Lake } from '#adapters/aws/lake.ts';
import { s3StoredBytes } from '#adapters/aws/stored-bytes.ts';
import { folderLake } from '#adapters/folder/lake.ts';
import { memoryLake } from '#adapters/memory/lake.ts';
import { type Digest, digestOf } from '#domain/canonical/digest.ts';
import type { BuiltObject, Lake } from '#ports/lake.ts';
import { clients, freshCloud, type TestCloud } from '#test/_helpers/cloud.ts';

const BUCKET = 'lake';

interface Fixture {
  readonly lake: Lake;
  /** Puts other bytes where a built object is, as somebody with the rights to do so would. */
  readonly tamper: (object: BuiltObject, content: string) => Promise<void>;
}

let cloud: TestCloud;
let folder: string;
beforeAll(async () => {
  cloud = await freshCloud();
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-lake-'));
});
afterAll(async () => {
  await cloud[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

function inMemory(): Fixture {
  const lake = memoryLake();
  return {
    lake,
    async tamper({ object: { key } }, content) {
      const stored = lake.objects.get(key);
      if (stored === undefined) throw new Error(`${key} is not there`);
      lake.objects.set(key, { ...stored, content: Buffer.from(content) });
    },
  };
}

/** Beside the copies that a test fetches. */
async function inFolder(): Promise<Fixture> {
  return {
    lake: folderLake(await mkdtemp(join(folder, 'lake-'))),
    tamper: ({ object: { key } }, content) => writeFile(key, content),
  };
}

/** Without versions, so that what is tampered with is what is read. */
async function inS3(): Promise<Fixture> {
  const s3 = clients(cloud, '111111111111').s3();
  await s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
  return {
    lake: s3Lake(s3, BUCKET),
    async tamper({ object: { key: Key, sha256 }, rows }, Body) {
      const Metadata = { sha256, rows: String(rows) };
      await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body, Metadata }));
    },
  };
}

const file = async (content: string, rows = 1) => {
  const path = join(folder, `file-${digestOf(content).slice(-12)}`);
  await writeFile(path, content);
  return { path, sha256: digestOf(content), rows };
};

describe.each([
  ['in memory', async () => inMemory()],
  ['in a folder', inFolder],
  ['in S3', inS3],
])('a lake %s', (_, fresh: () => Promise<Fixture>) => {
  let fixture: Fixture;
  beforeAll(async () => {
    fixture = await fresh();
  });
  const found = async (kind: Parameters<Lake['find']>[0], digest: Digest): Promise<BuiltObject> => {
    const built = await fixture.lake.find(kind, 'm', digest);
    if (built === undefined) throw new Error(`${digest} is not built`);
    return built;
  };

  it('has nothing before anything is built', async () => {
    const { lake } = fixture;
    expect(await lake.built('daily', 'm')).toEqual(new Set());
    expect(await lake.find('daily', 'm', digestOf('inputs'))).toBeUndefined();
    await expect(lake.fetch('daily', 'm', digestOf('inputs'), folder)).rejects.toMatchObject({
      code: 'ARTIFACT_MISSING',
    });
  });

  it('gives back what was stored, by kind, model and digest of the inputs', async () => {
    const { lake } = fixture;
    for (const inputs of ['one', 'two'])
      await lake.store('features', 'm', digestOf(inputs), await file(`rows of ${inputs}`, 7));
    await lake.store('predictions', 'm', digestOf('three'), await file('predictions'));
    await lake.store('features', 'mm', digestOf('four'), await file('of another model'));
    expect(await lake.built('features', 'm')).toEqual(new Set([digestOf('one'), digestOf('two')]));
    const { object, rows } = await found('features', digestOf('one'));
    expect({ rows, sha256: object.sha256, size: object.size }).toEqual({
      rows: 7,
      sha256: digestOf('rows of one'),
      size: 'rows of one'.length,
    });
    expect(await readFile(await lake.fetch('features', 'm', digestOf('one'), folder), 'utf8')).toBe('rows of one');
    expect(await lake.find('daily', 'm', digestOf('one'))).toBeUndefined();
    expect(await lake.find('features', 'm', digestOf('four'))).toBeUndefined();
  });

  it('takes the same bytes again as done, and other bytes for a fault; what was first stays', async () => {
    const { lake } = fixture;
    const digest = digestOf('once');
    await lake.store('daily', 'm', digest, await file('rows'));
    await lake.store('daily', 'm', digest, await file('rows'));
    const other = lake.store('daily', 'm', digest, await file('other rows'));
    await expect(other).rejects.toMatchObject({ code: 'ARTIFACT_TAMPERED' });
    expect(await readFile(await lake.fetch('daily', 'm', digest, folder), 'utf8')).toBe('rows');
  });

  it('takes the first of many who store other bytes at once', async () => {
    const { lake } = fixture;
    const digest = digestOf('raced');
    const files = await Promise.all(Array.from({ length: 8 }, (_, by) => file(`rows by ${by}`)));
    const results = await Promise.allSettled(files.map((each) => lake.store('daily', 'm', digest, each)));
    const winners = results.flatMap(({ status }, by) => (status === 'fulfilled' ? [by] : []));
    expect(winners).toHaveLength(1);
    for (const result of results)
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'ARTIFACT_TAMPERED' });
    expect(await readFile(await lake.fetch('daily', 'm', digest, folder), 'utf8')).toBe(`rows by ${winners[0]}`);
  });

  it('does not believe what was tampered with', async () => {
    const { lake, tamper } = fixture;
    await lake.store('features', 'm', digestOf('tampered'), await file('the rows'));
    await tamper(await found('features', digestOf('tampered')), 'the r0ws');
    const fetched = lake.fetch('features', 'm', digestOf('tampered'), folder);
    await expect(fetched).rejects.toMatchObject({ code: 'ARTIFACT_TAMPERED' });
  });
});

it('reads an admitted object of the lake in S3 by its version, whatever came after', async () => {
  const s3 = clients(cloud, '222222222222').s3();
  await s3.send(new CreateBucketCommand({ Bucket: 'landing' }));
  const Status = 'Enabled';
  await s3.send(new PutBucketVersioningCommand({ Bucket: 'landing', VersioningConfiguration: { Status } }));
  const put = (Body: string) => s3.send(new PutObjectCommand({ Bucket: 'landing', Key: 'day', Body }));
  const { VersionId: versionId = '' } = await put('first');
  await put('second');
  const object = { bucket: 'landing', key: 'day', versionId, sha256: digestOf('first'), size: 5 };
  const lake = s3Lake(s3, 'landing');
  expect(await readFile(await lake.fetchSource(object, folder), 'utf8')).toBe('first');
  const wrong = { ...object, sha256: digestOf('second') };
  await expect(lake.fetchSource(wrong, folder)).rejects.toMatchObject({ code: 'ARTIFACT_TAMPERED' });
  const missing = { ...object, key: 'another day' };
  await expect(lake.fetchSource({ ...missing, versionId: 'null' }, folder)).rejects.toMatchObject({
    code: 'ARTIFACT_MISSING',
  });
});

describe('stored bytes in S3', () => {
  it('are hashed as they are now: what was overwritten or deleted behind the lake is found', async () => {
    const s3 = clients(cloud, '222222222222').s3();
    const [lakeBucket, releases, published] = ['stored-lake', 'stored-releases', 'stored-published'];
    for (const Bucket of [lakeBucket, releases, published]) {
      await s3.send(new CreateBucketCommand({ Bucket }));
      await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }));
    }
    const [lake, stored] = [s3Lake(s3, lakeBucket), s3StoredBytes(s3, { releases, lake: lakeBucket, published })];
    const path = join(folder, 'stored.parquet');
    await writeFile(path, 'rows');
    const digest = digestOf('inputs');
    await lake.store('features', 'm', digest, { path, sha256: digestOf('rows'), rows: 1 });
    const built = await lake.find('features', 'm', digest);
    if (built === undefined) throw new Error('nothing was built');
    const { key: Key, versionId } = built.object;
    const whole = { sha256: digestOf('rows'), versionId, storedAs: digestOf('rows') };
    expect(await stored.hash({ kind: 'built', built: 'features', model: 'm', digest })).toEqual(whole);
    expect(await stored.hash({ kind: 'object', key: Key })).toEqual(whole);
    await s3.send(new PutObjectCommand({ Bucket: lakeBucket, Key, Body: 'others' }));
    const other = await stored.hash({ kind: 'object', key: Key });
    expect(other?.sha256).toBe(digestOf('others'));
    expect(other?.versionId).not.toBe(versionId);
    // A delete marker leaves the versions, and hides them from whoever asks for the object.
    await s3.send(new DeleteObjectCommand({ Bucket: lakeBucket, Key }));
    expect(await stored.hash({ kind: 'object', key: Key })).toBeUndefined();
    const release = await s3ArtifactStore(s3, releases).write(Buffer.from('a manifest'));
    const place = { kind: 'release', digest: release.digest } as const;
    expect((await stored.hash(place))?.sha256).toBe(release.digest);
    expect(Buffer.from((await stored.bytes(place)) ?? []).toString()).toBe('a manifest');
    expect(await stored.bytes({ kind: 'document', digest: release.digest })).toBeUndefined();
    await s3.send(
      new PutObjectCommand({ Bucket: published, Key: `chain/m/${'7'.padStart(12, '0')}.json`, Body: '{}' }),
    );
    expect(await stored.published('chain', 'm', 7)).toBe('{}');
    expect(await stored.published('pointers', 'm', 7)).toBeUndefined();
    expect(await stored.publicKeyPem()).toBeUndefined();
  });
});
