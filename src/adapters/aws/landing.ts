import { HeadObjectCommand, paginateListObjectsV2, type S3Client } from '@aws-sdk/client-s3';
import { digestOf } from '#domain/canonical/digest.ts';
import type { ObjectReference } from '#domain/data/partition.ts';
import { GatehouseError } from '#domain/error.ts';
import { readObject } from './artifact-store.ts';
import { atMost } from '../at-most.ts';
import { AT_ONCE, copyObject } from './lake.ts';

/** Where producers put their partitions, in S3: each object is read by the version that was there when it was listed. */
export function s3Landing(
  client: S3Client,
  bucket: string,
): {
  list(prefix: string): Promise<readonly ObjectReference[]>;
  copy(object: ObjectReference, path: string): Promise<void>;
} {
  const inTurn = atMost(AT_ONCE);
  return {
    copy: (object, path) => inTurn(() => copyObject(client, object, path)),
    async list(prefix) {
      const objects: ObjectReference[] = [];
      for await (const page of paginateListObjectsV2({ client }, { Bucket: bucket, Prefix: prefix })) {
        for (const { Key: key = '' } of page.Contents ?? []) {
          const { VersionId: versionId = 'null' } = await client.send(
            new HeadObjectCommand({ Bucket: bucket, Key: key }),
          );
          const content = await readObject(client, bucket, key, versionId === 'null' ? undefined : versionId);
          if (content === undefined)
            throw new GatehouseError('OBJECT_VANISHED', `${key} was there a moment ago`, { bucket, key });
          objects.push({ bucket, key, versionId, sha256: digestOf(content), size: content.length });
        }
      }
      return objects;
    },
  };
}
