import { CreateBucketCommand, PutBucketVersioningCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { objectKey, s3ArtifactStore } from '#adapters/aws/artifact-store.ts';
import { memoryArtifactStore } from '#adapters/memory/artifact-store.ts';
import { type Digest, digestOf } from '#domain/canonical/digest.ts';
import type { ArtifactStore } from '#ports/artifact-store.ts';
import { clients, freshCloud, type TestCloud } from '#test/_helpers/cloud.ts';

const BUCKET = 'gatehouse-dev-artifacts-111111111111';
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

interface Fixture {
  readonly store: ArtifactStore;
  /** Puts other bytes under a digest, as somebody with the rights to do so would. */
  readonly tamper: (digest: Digest, content: Uint8Array) => Promise<void>;
}

let cloud: TestCloud;
beforeAll(async () => {
  cloud = await freshCloud();
});
afterAll(async () => cloud[Symbol.asyncDispose]());

function inMemory(): Fixture {
  const store = memoryArtifactStore();
  return {
    store,
    tamper: async (digest, content) => {
      store.objects.set(digest, content);
    },
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
