import {
  GetObjectCommand,
  GetObjectRetentionCommand,
  NoSuchKey,
  type S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { digestOf } from '#domain/canonical/digest.ts';
import type { Retention } from '#domain/rollback-readiness/stored-objects.ts';
import type { StoredVersions } from '#ports/stored-versions.ts';
import { objectKey } from './artifact-store.ts';

/** What S3 answers where nothing retains a version: the bucket has no lock, or the version no retention. */
const NOT_RETAINED = new Set([
  'NoSuchObjectLockConfiguration',
  'ObjectLockConfigurationNotFoundError',
  'InvalidRequest',
]);

/** The versions of artifacts in S3: the retention that is read is that of the version whose bytes were hashed. */
export function s3StoredVersions(client: S3Client, bucket: string): StoredVersions {
  return {
    async find(digest) {
      const at = { Bucket: bucket, Key: objectKey(digest) };
      let found;
      try {
        found = await client.send(new GetObjectCommand(at));
      } catch (error) {
        if (error instanceof NoSuchKey) return undefined;
        throw error;
      }
      const content = (await found.Body?.transformToByteArray()) ?? new Uint8Array();
      // A bucket that was never versioned says nothing, one whose versioning is suspended says "null".
      const versionId = found.VersionId === undefined || found.VersionId === 'null' ? null : found.VersionId;
      const retention = await retentionOf(client, { ...at, ...(versionId === null ? {} : { VersionId: versionId }) });
      return { versionId, sha256: digestOf(content), retention };
    },
  };
}

async function retentionOf(
  client: S3Client,
  version: { readonly Bucket: string; readonly Key: string; readonly VersionId?: string },
): Promise<Retention> {
  try {
    const { Retention: found } = await client.send(new GetObjectRetentionCommand(version));
    if (found?.RetainUntilDate === undefined) return { kind: 'none' };
    return { kind: 'retained', mode: found.Mode ?? 'none', until: found.RetainUntilDate.toISOString() };
  } catch (error) {
    if (!(error instanceof S3ServiceException)) throw error;
    if (NOT_RETAINED.has(error.name)) return { kind: 'none' };
    // What is the caller's fault, such as a right that is lacking, no retry mends.
    if (error.$fault === 'client' && error.$retryable === undefined)
      return { kind: 'unreadable', why: `${error.name}: ${error.message}`.slice(0, 200) };
    throw error;
  }
}
