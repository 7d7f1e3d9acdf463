import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  HeadObjectCommand,
  NotFound,
  paginateListObjectsV2,
  PutObjectCommand,
  type S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { canonicalJson, Digest, digestOf, parseCanonical } from '#domain/canonical/digest.ts';
import { GatehouseError } from '#domain/error.ts';
import { Lineage } from '#domain/prediction/manifest.ts';
import { copyNameOf, type ObjectReference } from '#domain/data/partition.ts';
import type { BuiltKind, BuiltObject, Lake } from '#ports/lake.ts';
import { readObject } from './artifact-store.ts';
import { atMost } from '../at-most.ts';

/** The S3 key of what was built: readable in a console, and named by the digest of its inputs. */
export function builtKey(kind: BuiltKind, model: string, digest: Digest): string {
  return `${model}/${kind}/${digest.slice('sha256:'.length)}.parquet`;
}

/** Objects that are in memory at once on their way to the disk: a window has hundreds. */
export const AT_ONCE = 8;

/** The lake in S3: built objects are written once, with their hash and rows as metadata, and hashed again when read. */
export function s3Lake(client: S3Client, bucket: string): Lake {
  const inTurn = atMost(AT_ONCE);
  const lake: Lake = {
    async built(kind, model) {
      const found = new Set<Digest>();
      for await (const page of paginateListObjectsV2({ client }, { Bucket: bucket, Prefix: `${model}/${kind}/` })) {
        for (const { Key: key = '' } of page.Contents ?? []) {
          found.add(Digest.parse(`sha256:${key.slice(key.lastIndexOf('/') + 1, -'.parquet'.length)}`));
        }
      }
      return found;
    },
    async find(kind, model, digest): Promise<BuiltObject | undefined> {
      const key = builtKey(kind, model, digest);
      try {
        const head = await client.send(new HeadObjectCommand({ Bucket: bucket, Key: key }));
        const { sha256, rows, lineage } = head.Metadata ?? {};
        return {
          object: {
            bucket,
            key,
            versionId: head.VersionId ?? 'null',
            sha256: Digest.parse(sha256),
            size: head.ContentLength ?? 0,
          },
          rows: Number(rows),
          ...(lineage === undefined ? {} : { lineage: parseCanonical(Lineage, lineage, 'lineage') }),
        };
      } catch (error) {
        if (error instanceof NotFound) return undefined;
        throw error;
      }
    },
    async store(kind, model, digest, file) {
      const key = builtKey(kind, model, digest);
      try {
        await client.send(
          new PutObjectCommand({
            Bucket: bucket,
            Key: key,
            // The whole file, not a stream: the SDK can send it again when an answer gets lost.
            Body: await readFile(file.path),
            IfNoneMatch: '*',
            ChecksumSHA256: Buffer.from(file.sha256.slice('sha256:'.length), 'hex').toString('base64'),
            Metadata: {
              sha256: file.sha256,
              rows: String(file.rows),
              ...(file.lineage === undefined ? {} : { lineage: canonicalJson(file.lineage) }),
            },
          }),
        );
      } catch (error) {
        if (!(error instanceof S3ServiceException) || ![409, 412].includes(error.$metadata.httpStatusCode ?? 0))
          throw error;
        const existing = await lake.find(kind, model, digest);
        if (existing?.object.sha256 === file.sha256) return;
        throw new GatehouseError(
          'ARTIFACT_TAMPERED',
          `${key} is there with other bytes than were built now`,
          { key, bucket },
          error,
        );
      }
    },
    async fetch(kind, model, digest, folder) {
      const built = await lake.find(kind, model, digest);
      if (built === undefined)
        throw new GatehouseError('ARTIFACT_MISSING', `${kind} ${digest} of ${model} are not built`, { kind, digest });
      return lake.fetchSource(built.object, folder);
    },
    fetchSource: (object, folder) => inTurn(() => fetchObject(client, object, folder)),
  };
  return lake;
}

async function fetchObject(client: S3Client, object: ObjectReference, folder: string): Promise<string> {
  const path = join(folder, copyNameOf(object));
  await copyObject(client, object, path);
  return path;
}

/** Copies an object, by its version, to a local path. @throws GatehouseError `ARTIFACT_MISSING` or `ARTIFACT_TAMPERED` */
export async function copyObject(client: S3Client, object: ObjectReference, path: string): Promise<void> {
  const content = await readObject(
    client,
    object.bucket,
    object.key,
    object.versionId === 'null' ? undefined : object.versionId,
  );
  if (content === undefined)
    throw new GatehouseError('ARTIFACT_MISSING', `no object ${object.key} in ${object.bucket}`, { ...object });
  if (digestOf(content) !== object.sha256) {
    throw new GatehouseError(
      'ARTIFACT_TAMPERED',
      `${object.key} in ${object.bucket} does not hash to what was recorded`,
      { ...object },
    );
  }
  await writeFile(path, content);
}
