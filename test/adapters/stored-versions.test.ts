import {
  CreateBucketCommand,
  DeleteObjectCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import {
  CreateKeyCommand,
  DisableKeyCommand,
  CreateAliasCommand,
  KMSClient,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { objectKey, s3ArtifactStore } from '#adapters/aws/artifact-store.ts';
import { kmsKeys } from '#adapters/aws/keys.ts';
import { s3StoredVersions } from '#adapters/aws/stored-versions.ts';
import { memoryArtifactStore } from '#adapters/memory/artifact-store.ts';
import { memoryStoredVersions } from '#adapters/memory/stored-versions.ts';
import { digestOf } from '#domain/canonical/digest.ts';
import { clients, freshCloud, type TestCloud } from '#test/_helpers/cloud.ts';

const ACCOUNT = '111111111111';
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const WHOLE = digestOf('whole');

let cloud: TestCloud;
beforeAll(async () => {
  cloud = await freshCloud();
});
afterAll(() => cloud[Symbol.asyncDispose]());

it('S3 and memory say of an object which version is read, what it hashes to, and until when it is retained', async () => {
  const s3 = clients(cloud, ACCOUNT).s3();
  const bucket = `versions-${ACCOUNT}`;
  await s3.send(new CreateBucketCommand({ Bucket: bucket, ObjectLockEnabledForBucket: true }));
  const until = new Date(Date.now() + 86_400_000 * 40);
  await s3.send(
    new PutObjectCommand({
      Bucket: bucket,
      Key: objectKey(WHOLE),
      Body: bytes('whole'),
      ObjectLockMode: 'GOVERNANCE',
      ObjectLockRetainUntilDate: until,
    }),
  );
  const { digest: unlocked } = await s3ArtifactStore(s3, bucket).write(bytes('unlocked'));
  const versions = s3StoredVersions(s3, bucket);
  const found = await versions.find(WHOLE);
  expect(found).toMatchObject({ sha256: WHOLE, retention: { kind: 'retained', mode: 'GOVERNANCE' } });
  expect(found?.versionId).toMatch(/./);
  const retention = found?.retention;
  expect(retention?.kind === 'retained' ? Date.parse(retention.until) / 1000 : 0).toBeCloseTo(
    until.getTime() / 1000,
    -1,
  );
  expect(await versions.find(unlocked)).toMatchObject({ sha256: unlocked, retention: { kind: 'none' } });
  // Other bytes in its place are what is read from now on.
  await s3.send(new PutObjectCommand({ Bucket: bucket, Key: objectKey(unlocked), Body: bytes('other') }));
  expect(await versions.find(unlocked)).toMatchObject({ sha256: digestOf('other') });
  // A delete marker hides what Object Lock keeps.
  await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: objectKey(WHOLE) }));
  expect(await versions.find(WHOLE)).toBeUndefined();

  const store = memoryArtifactStore();
  const { digest } = await store.write(bytes('whole'));
  const inMemory = memoryStoredVersions(store.objects);
  expect(await inMemory.find(digest)).toMatchObject({ versionId: '1', sha256: WHOLE, retention: { kind: 'retained' } });
  inMemory.retentions.set(digest, { kind: 'none' });
  expect(await inMemory.find(digest)).toMatchObject({ retention: { kind: 'none' } });
  expect(await inMemory.find(unlocked)).toBeUndefined();
});

it('a bucket without a lock retains nothing, and one without versions has none', async () => {
  const s3 = clients(cloud, ACCOUNT).s3();
  for (const [bucket, version] of [
    [`versioned-${ACCOUNT}`, expect.stringMatching(/./)],
    [`plain-${ACCOUNT}`, null],
  ] as const) {
    await s3.send(new CreateBucketCommand({ Bucket: bucket }));
    if (version !== null)
      await s3.send(new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration: { Status: 'Enabled' } }));
    const { digest } = await s3ArtifactStore(s3, bucket).write(bytes('whole'));
    const found = await s3StoredVersions(s3, bucket).find(digest);
    expect(found).toEqual({ versionId: version, sha256: WHOLE, retention: { kind: 'none' } });
  }
});

it('KMS says of a key whether it can be used, for what, and when it goes', async () => {
  const kms = new KMSClient({
    endpoint: cloud.endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: ACCOUNT, secretAccessKey: 'test' },
  });
  const { KeyMetadata: key } = await kms.send(
    new CreateKeyCommand({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' }),
  );
  const KeyId = key?.KeyId ?? '';
  await kms.send(new CreateAliasCommand({ AliasName: 'alias/signing', TargetKeyId: KeyId }));
  const keys = kmsKeys(kms);
  expect(await keys.describe('alias/signing')).toEqual({ kind: 'key', state: 'Enabled', usage: 'SIGN_VERIFY' });
  await kms.send(new DisableKeyCommand({ KeyId }));
  expect(await keys.describe('alias/signing')).toMatchObject({ state: 'Disabled' });
  await kms.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }));
  expect(await keys.describe('alias/signing')).toMatchObject({
    state: 'PendingDeletion',
    deletionAt: expect.stringMatching(/Z$/),
  });
  expect(await keys.describe('alias/none')).toEqual({ kind: 'missing' });
});
