import { paginateListObjectsV2, PutObjectCommand, type S3Client, S3ServiceException } from '@aws-sdk/client-s3';
import { parseDocument } from '#domain/canonical/digest.ts';
import { GatehouseError } from '#domain/error.ts';
import { Envelope } from '#domain/signature/dsse.ts';
import type { Numbered, PeerRecords, PublishedRecords } from '#ports/published-records.ts';
import { readObject } from './artifact-store.ts';

/** Where the public key is. */
export const KEY = 'keys/signing.pem';
const recordKey = (model: string, seq: number): string => publishedKey('chain', model, seq);
const pointerKey = (model: string, seq: number): string => publishedKey('pointers', model, seq);

/** Where a record or a pointer is published. */
export function publishedKey(what: 'chain' | 'pointers', model: string, seq: number): string {
  return `${what}/${model}/${String(seq).padStart(12, '0')}.json`;
}

/** An environment's published bucket, as its publisher writes it: each number once. */
export function s3PublishedRecords(client: S3Client, bucket: string): PublishedRecords {
  const put = async (key: string, body: string, isSame: (existing: string) => boolean): Promise<void> => {
    try {
      await client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body, IfNoneMatch: '*' }));
    } catch (error) {
      if (!(error instanceof S3ServiceException) || ![409, 412].includes(error.$metadata.httpStatusCode ?? 0))
        throw error;
      const existing = await readObject(client, bucket, key);
      if (existing !== undefined && isSame(new TextDecoder().decode(existing))) return;
      throw new GatehouseError(
        'PUBLISHED_DIFFERENTLY',
        `${key} in ${bucket} says something else`,
        { bucket, key },
        error,
      );
    }
  };
  // A second signature of the same payload differs in its bytes; what counts is what is signed.
  const putEnvelope = (key: string, { envelope }: Numbered): Promise<void> =>
    put(
      key,
      JSON.stringify(envelope),
      (existing) => parseDocument(Envelope, JSON.parse(existing), key).payload === envelope.payload,
    );
  return {
    publishKey: (pem) => put(KEY, pem, (existing) => existing === pem),
    publishRecord: (model, record) => putEnvelope(recordKey(model, record.seq), record),
    publishPointer: (model, pointer) => putEnvelope(pointerKey(model, pointer.seq), pointer),
  };
}

/** The published buckets of peers, as anyone who may read them does. */
export function s3PeerRecords(client: S3Client, bucketOf: (environment: string) => string): PeerRecords {
  const list = async (bucket: string, prefix: string, after?: string): Promise<string[]> => {
    const keys: string[] = [];
    const input = { Bucket: bucket, Prefix: prefix, ...(after === undefined ? {} : { StartAfter: after }) };
    for await (const page of paginateListObjectsV2({ client }, input))
      keys.push(...(page.Contents ?? []).map(({ Key: key = '' }) => key));
    return keys.toSorted();
  };
  const read = async (bucket: string, key: string): Promise<Numbered> => {
    const content = await readObject(client, bucket, key);
    if (content === undefined)
      throw new GatehouseError('RECORD_VANISHED', `${key} in ${bucket} was there a moment ago`, { bucket, key });
    const envelope = parseDocument(Envelope, JSON.parse(new TextDecoder().decode(content)), `${bucket}/${key}`);
    return { seq: Number(key.slice(key.lastIndexOf('/') + 1, -'.json'.length)), envelope };
  };
  return {
    async publicKeyPem(environment) {
      try {
        const content = await readObject(client, bucketOf(environment), KEY);
        return content === undefined ? undefined : new TextDecoder().decode(content);
      } catch (error) {
        // A peer that is not deployed yet has shown nothing.
        if (error instanceof S3ServiceException && error.name === 'NoSuchBucket') return undefined;
        throw error;
      }
    },
    async recordsAfter(environment, model, seq) {
      const bucket = bucketOf(environment);
      const keys = await list(bucket, `chain/${model}/`, seq < 0 ? undefined : recordKey(model, seq));
      return Promise.all(keys.slice(0, 100).map((key) => read(bucket, key)));
    },
    async newestPointer(environment, model) {
      const bucket = bucketOf(environment);
      try {
        const key = (await list(bucket, `pointers/${model}/`)).at(-1);
        return key === undefined ? undefined : await read(bucket, key);
      } catch (error) {
        if (error instanceof S3ServiceException && error.name === 'NoSuchBucket') return undefined;
        throw error;
      }
    },
  };
}
