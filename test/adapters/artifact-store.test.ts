import { CreateBucketCommand, PutBucketVersioningCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { objectKey, s3ArtifactStore } from '#adapters/aws/artifact-store.ts';
import { folderArtifactStore } from '#adapters/folder/artifact-store.ts';
import { memoryArtifactStore } from '#adapters/memory/artifact-store.ts';
import { type Digest, digestOf } from '#domain/canonical/digest.ts';
import type { ArtifactStore } from '#ports/artifact-store.ts';
import { clients, freshCloud, type TestCloud } from '#test/_helpers/cloud.ts';
import { onTheWire, type WireFault } from './_wire.ts';

const BUCKET = 'gatehouse-dev-artifacts-111111111111';
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

interface Fixture {
  readonly store: ArtifactStore;
  /** Puts other bytes under a digest, as somebody with the rights to do so would. */
  readonly tamper: (digest: Digest, content: Uint8Array) => Promise<void>;
}

const folders: string[] = [];
let cloud: TestCloud;
beforeAll(async () => {
  cloud = await freshCloud();
});
afterAll(async () => {
  await cloud[Symbol.asyncDispose]();
  for (const folder of folders) await rm(folder, { recursive: true });
});

function inMemory(): Fixture {
  const store = memoryArtifactStore();
  return {
    store,
    tamper: async (digest, content) => {
      store.objects.set(digest, content);
    },
  };
}

async function inFolder(): Promise<Fixture> {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-artifacts-'));
  folders.push(folder);
  return {
    store: folderArtifactStore(folder),
    tamper: (digest, content) => writeFile(join(folder, digest.slice('sha256:'.length)), content),
  };
}

async function inS3(): Promise<Fixture> {
  const client = clients(cloud, '111111111111').s3();
  await client.send(new CreateBucketCommand({ Bucket: BUCKET }));
  await client.send(new PutBucketVersioningCommand({ Bucket: BUCKET, VersioningConfiguration: { Status: 'Enabled' } }));
  return {
    store: s3ArtifactStore(client, BUCKET),
    tamper: async (digest, content) => {
      await client.send(new PutObjectCommand({ Bucket: BUCKET, Key: objectKey(digest), Body: content }));
    },
  };
}

describe.each([
  ['in memory', async () => inMemory()],
  ['in a folder', inFolder],
  ['in S3', inS3],
])('an artifact store %s', (_, fresh: () => Promise<Fixture>) => {
  let fixture: Fixture;
  beforeAll(async () => {
    fixture = await fresh();
  });

  it.each([
    ['text', bytes('a release')],
    ['nothing', new Uint8Array()],
    ['any bytes', Uint8Array.from({ length: 300_000 }, (_, index) => (index * 7) % 256)],
  ])('gives back %s under the digest of its bytes', async (_, content) => {
    const { store } = fixture;
    expect(await store.has(digestOf(content))).toBe(false);
    expect(await store.write(content)).toEqual({ digest: digestOf(content), result: 'stored' });
    expect(await store.has(digestOf(content))).toBe(true);
    expect(Buffer.from(await store.read(digestOf(content))).equals(Buffer.from(content))).toBe(true);
  });

  it('takes the same bytes again as done', async () => {
    const { store } = fixture;
    await store.write(bytes('twice'));
    expect(await store.write(bytes('twice'))).toEqual({ digest: digestOf('twice'), result: 'already-stored' });
  });

  it('takes the same bytes from many writers at once', async () => {
    const results = await Promise.all(Array.from({ length: 6 }, () => fixture.store.write(bytes('at once'))));
    expect(results.filter(({ result }) => result === 'stored')).toHaveLength(1);
    expect(Buffer.from(await fixture.store.read(digestOf('at once'))).toString()).toBe('at once');
  });

  it('keeps what it holds apart from what it was given and gives out', async () => {
    const { store } = fixture;
    const content = bytes('apart');
    const { digest } = await store.write(content);
    content.fill(0);
    (await store.read(digest)).fill(0);
    expect(Buffer.from(await store.read(digest)).toString()).toBe('apart');
  });

  it('says what is missing', async () => {
    const digest = digestOf('never stored');
    await expect(fixture.store.read(digest)).rejects.toMatchObject({ code: 'ARTIFACT_MISSING', details: { digest } });
  });

  it('does not believe what was tampered with: neither on reading nor on writing over it', async () => {
    const { store, tamper } = fixture;
    const { digest } = await store.write(bytes('the model'));
    await tamper(digest, bytes('another model'));
    await expect(store.read(digest)).rejects.toMatchObject({ code: 'ARTIFACT_TAMPERED', details: { digest } });
    await expect(store.write(bytes('the model'))).rejects.toMatchObject({ code: 'ARTIFACT_TAMPERED' });
    await expect(store.read(digest)).rejects.toMatchObject({ code: 'ARTIFACT_TAMPERED' });
  });

  it('does not believe what was cut off, or what is empty', async () => {
    const { store, tamper } = fixture;
    for (const rest of [bytes('the whole mod'), new Uint8Array()]) {
      const { digest } = await store.write(bytes(`the whole model ${rest.length}`));
      await tamper(digest, rest);
      await expect(store.read(digest)).rejects.toMatchObject({ code: 'ARTIFACT_TAMPERED' });
    }
  });
});

describe('the artifact store in S3, on the wire', () => {
  let fixture: Fixture & { readonly meets: (...faults: readonly WireFault[]) => void };
  beforeAll(async () => {
    const client = new S3Client({
      region: cloud.region,
      endpoint: cloud.endpoint,
      forcePathStyle: true,
      credentials: { accessKeyId: '222222222222', secretAccessKey: 'test' },
    });
    await client.send(new CreateBucketCommand({ Bucket: 'on-the-wire' }));
    const left: WireFault[] = [];
    onTheWire(client, ({ action }) => (action === 'PUT' ? left.shift() : undefined));
    const tamper: Fixture['tamper'] = async (digest, Body) => {
      await client.send(new PutObjectCommand({ Bucket: 'on-the-wire', Key: objectKey(digest), Body }));
    };
    fixture = {
      store: s3ArtifactStore(client, 'on-the-wire'),
      tamper,
      meets: (...faults) => void left.push(...faults),
    };
  });

  it.each([
    ['lost', 'stored'],
    ['unanswered', 'already-stored'],
  ] as const)('stores once what was %s: the SDK asks again, and it is %s', async (fault, result) => {
    fixture.meets(fault);
    expect(await fixture.store.write(bytes(fault))).toEqual({ digest: digestOf(fault), result });
    expect(Buffer.from(await fixture.store.read(digestOf(fault))).toString()).toBe(fault);
  });

  it('stores what was throttled', async () => {
    fixture.meets({ error: 'SlowDown', status: 503 });
    expect(await fixture.store.write(bytes('slow'))).toMatchObject({ result: 'stored' });
  });

  it('believes a writer at the same moment only as far as the bytes can be read', async () => {
    const busy: WireFault = { error: 'ConditionalRequestConflict', status: 409 };
    fixture.meets(busy);
    // The other one has not come to its end: a fault, which is tried again.
    await expect(fixture.store.write(bytes('same moment'))).rejects.toMatchObject({ code: 'ARTIFACT_MISSING' });
    await fixture.store.write(bytes('same moment'));
    fixture.meets(busy);
    expect(await fixture.store.write(bytes('same moment'))).toMatchObject({ result: 'already-stored' });
    await fixture.tamper(digestOf('same moment'), bytes('another'));
    fixture.meets(busy);
    await expect(fixture.store.write(bytes('same moment'))).rejects.toMatchObject({ code: 'ARTIFACT_TAMPERED' });
  });

  it('passes on what is no answer about the object', async () => {
    fixture.meets({ error: 'AccessDenied', status: 403 });
    await expect(fixture.store.write(bytes('denied'))).rejects.toMatchObject({ name: 'AccessDenied' });
    expect(await fixture.store.has(digestOf('denied'))).toBe(false);
  });
});
