import { createHash } from 'node:crypto';
import { GetObjectCommand, NoSuchKey, type S3Client } from '@aws-sdk/client-s3';
import { Digest } from '#domain/canonical/digest.ts';
import type { StoredBytes, StoredPlace } from '#ports/stored-bytes.ts';
import { objectKey, readObject } from './artifact-store.ts';
import { builtKey } from './lake.ts';
import { KEY, publishedKey } from './published-records.ts';

/** The buckets of this environment; an object is read as a stream, so that none is too large. */
export function s3StoredBytes(
  client: S3Client,
  buckets: { readonly releases?: string; readonly lake?: string; readonly published: string },
): StoredBytes {
  const find = (place: StoredPlace): { readonly Bucket: string; readonly Key: string } => {
    const Bucket = place.kind === 'release' ? buckets.releases : buckets.lake;
    if (Bucket === undefined) throw new Error(`no bucket for a ${place.kind} here`);
    switch (place.kind) {
      case 'release':
      case 'document':
        return { Bucket, Key: objectKey(place.digest) };
      case 'built':
        return { Bucket, Key: builtKey(place.built, place.model, place.digest) };
      case 'object':
        return { Bucket, Key: place.key };
    }
  };
  const text = async (key: string): Promise<string | undefined> => {
    const content = await readObject(client, buckets.published, key);
    return content === undefined ? undefined : new TextDecoder().decode(content);
  };
  return {
    async hash(place) {
      try {
        const { Body, VersionId = 'null', Metadata } = await client.send(new GetObjectCommand(find(place)));
        const hash = createHash('sha256');
        for await (const chunk of Body as AsyncIterable<Uint8Array>) hash.update(chunk);
        const storedAs = Digest.safeParse(Metadata?.['sha256']);
        return {
          sha256: Digest.parse(`sha256:${hash.digest('hex')}`),
          versionId: VersionId,
          ...(storedAs.success ? { storedAs: storedAs.data } : {}),
        };
      } catch (error) {
        if (error instanceof NoSuchKey) return undefined;
        throw error;
      }
    },
    async bytes(place) {
      const { Bucket, Key } = find(place);
      return readObject(client, Bucket, Key);
    },
    published: (what, model, seq) => text(publishedKey(what, model, seq)),
    publicKeyPem: () => text(KEY),
  };
}
