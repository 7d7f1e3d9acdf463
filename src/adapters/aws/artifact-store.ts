import {
  GetObjectCommand,
  HeadObjectCommand,
  NoSuchKey,
  NotFound,
  PutObjectCommand,
  type S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { type Digest, digestOf } from '#domain/canonical/digest.ts';
import { GatehouseError } from '#domain/error.ts';
import type { ArtifactStore } from '#ports/artifact-store.ts';

/** The S3 key of an object that is named by its digest. */
export function objectKey(digest: Digest): string {
  return `objects/${digest.slice('sha256:'.length)}`;
}

/** Write-once storage in S3: keyed by digest, `If-None-Match: *`, every byte hashed again on its way in and out. */
export function s3ArtifactStore(client: S3Client, bucket: string): ArtifactStore {
  const store: ArtifactStore = {
    async has(digest) {
      try {
        await client.send(new HeadObjectCommand({ Bucket: bucket, Key: objectKey(digest) }));
        return true;
      } catch (error) {
        if (error instanceof NotFound) return false;
        throw error;
      }
    },
    async read(digest) {
      const content = await readObject(client, bucket, objectKey(digest));
      if (content === undefined)
        throw new GatehouseError('ARTIFACT_MISSING', `no object ${digest} in ${bucket}`, { digest, bucket });
      if (digestOf(content) !== digest) {
        throw new GatehouseError('ARTIFACT_TAMPERED', `object ${digest} in ${bucket} does not hash to its name`, {
          digest,
          bucket,
        });
      }
      return content;
    },
    async write(content) {
      const digest = digestOf(content);
      try {
        await client.send(
          new PutObjectCommand({
            Bucket: bucket,
            Key: objectKey(digest),
            Body: content,
            IfNoneMatch: '*',
            ChecksumSHA256: Buffer.from(digest.slice('sha256:'.length), 'hex').toString('base64'),
          }),
        );
        return { digest, result: 'stored' };
      } catch (error) {
        // 412: it is there. 409: someone else is writing it at this moment. Either way what is there must be the same.
        if (!(error instanceof S3ServiceException) || ![409, 412].includes(error.$metadata.httpStatusCode ?? 0))
          throw error;
        await store.read(digest);
        return { digest, result: 'already-stored' };
      }
    },
  };
  return store;
}

/** An object's bytes, by version where one is given; undefined where there is none, or no such version any more. */
export async function readObject(
  client: S3Client,
  bucket: string,
  key: string,
  versionId?: string,
): Promise<Uint8Array | undefined> {
  try {
    const output = await client.send(
      new GetObjectCommand({ Bucket: bucket, Key: key, ...(versionId === undefined ? {} : { VersionId: versionId }) }),
    );
    return await output.Body?.transformToByteArray();
  } catch (error) {
    // The SDK has a class for a missing key, and none for a missing version.
    if (error instanceof NoSuchKey || (error instanceof S3ServiceException && error.name === 'NoSuchVersion'))
      return undefined;
    throw error;
  }
}

/** How many bytes an object has; undefined where there is none. */
export async function sizeOfObject(client: S3Client, bucket: string, key: string): Promise<number | undefined> {
  try {
    return (await client.send(new HeadObjectCommand({ Bucket: bucket, Key: key }))).ContentLength;
  } catch (error) {
    if (error instanceof NotFound) return undefined;
    throw error;
  }
}
