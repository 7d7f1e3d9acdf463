import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import { DecryptCommand, GenerateDataKeyCommand, type KMSClient } from '@aws-sdk/client-kms';
import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { z } from 'zod';
import { Digest, digestOf, parseDocument } from '#domain/canonical/digest.ts';
import { GatehouseError } from '#domain/error.ts';
import { ModelName } from '#domain/model/definition.ts';
import { FailedEntry, RAW_EVENTS, REQUEST_LOGGED, RequestEntry } from '#domain/prediction/request-log.ts';
import type { Metrics } from '#ports/metrics.ts';
import type { RequestLog } from '#ports/request-log.ts';
import { readObject } from './artifact-store.ts';

/** Bytes beyond which a line would be cut: Lambda breaks lines of a log at 256 KB. */
const LONGEST_LINE = 200_000;
const CIPHER = 'aes-256-gcm';
const [IV_BYTES, TAG_BYTES] = [12, 16];

/** An entry, compressed and encrypted: within the line, or, where it is too long for one, an object of the lake by its digest. */
const LogLine = z
  .strictObject({
    kind: z.literal(REQUEST_LOGGED),
    model: ModelName,
    request: z.string(),
    /** The data key, encrypted by KMS. */
    key: z.base64(),
    iv: z.base64(),
    data: z.base64().optional(),
    object: Digest.optional(),
  })
  .refine(({ data, object }) => (data === undefined) !== (object === undefined), 'expected data or object');
type LogLine = z.infer<typeof LogLine>;

/** The key of an entry that was too long for a line. */
export function longEntryKey(model: string, digest: Digest): string {
  return `${RAW_EVENTS}${model}/long/${digest.slice('sha256:'.length)}`;
}

export interface RequestLogProps {
  readonly kms: Pick<KMSClient, 'send'>;
  readonly keyId: string;
  readonly s3: Pick<S3Client, 'send'>;
  readonly bucket: string;
  readonly model: string;
  /** Whether raw events may be kept. */
  readonly keepsEvents: boolean;
  readonly metrics: Metrics;
  /** Writes a line to the function's log; done when it has left the process. */
  readonly writeLine: (line: string) => Promise<void>;
}

/**
 * The request log as lines of a function's own log, which cost no call: each is encrypted under a data key that KMS gives once to
 * each execution environment. An entry that is too long for a line waits for one S3 put.
 */
export function lineRequestLog(props: RequestLogProps): RequestLog {
  const { kms, keyId, s3, bucket, model, keepsEvents, metrics, writeLine } = props;
  let asked: Promise<DataKey> | undefined;
  const dataKey = async (): Promise<DataKey> => {
    asked ??= generate(kms, keyId, model);
    try {
      return await asked;
    } catch (error) {
      asked = undefined;
      throw error;
    }
  };
  /** An entry as it leaves the process, and what is said of it in the clear. Whether it was answered is said inside. */
  const seal = async (request: string, entry: RequestEntry | FailedEntry) => {
    const { plain, wrapped } = await dataKey();
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv(CIPHER, plain, iv).setAAD(Buffer.from(request));
    // Quick before small: an answer waits for it.
    const compressed = gzipSync(JSON.stringify(entry), { level: 1 });
    const sealed = Buffer.concat([cipher.update(compressed), cipher.final(), cipher.getAuthTag()]);
    const about = { kind: REQUEST_LOGGED, model, request, key: wrapped, iv: iv.toString('base64') } as const;
    return { about, sealed };
  };
  return {
    async open() {
      await dataKey();
    },
    async write(request, raw) {
      const entry: RequestEntry = { request, raw: keepsEvents ? raw : null };
      const { about, sealed } = await seal(request.request, entry);
      const line = JSON.stringify({ ...about, data: sealed.toString('base64') } satisfies LogLine);
      if (line.length <= LONGEST_LINE) return await writeLine(line);
      const object = digestOf(sealed);
      await s3.send(
        new PutObjectCommand({
          Bucket: bucket,
          Key: longEntryKey(model, object),
          Body: sealed,
          ChecksumSHA256: Buffer.from(object.slice('sha256:'.length), 'hex').toString('base64'),
        }),
      );
      metrics.emit({ model }, { LongRequestEntries: 1 });
      await writeLine(JSON.stringify({ ...about, object } satisfies LogLine));
    },
    async writeFailed(failed) {
      const { about, sealed } = await seal(failed.request, { failed } satisfies FailedEntry);
      await writeLine(JSON.stringify({ ...about, data: sealed.toString('base64') } satisfies LogLine));
    },
  };
}

interface DataKey {
  readonly plain: Uint8Array;
  /** The key as KMS encrypted it, in base64. */
  readonly wrapped: string;
}

async function generate(kms: Pick<KMSClient, 'send'>, keyId: string, model: string): Promise<DataKey> {
  const { Plaintext: plain, CiphertextBlob: wrapped } = await kms.send(
    new GenerateDataKeyCommand({ KeyId: keyId, KeySpec: 'AES_256', EncryptionContext: { model } }),
  );
  if (plain === undefined || wrapped === undefined)
    throw new GatehouseError('REQUEST_LOG_KEY', `KMS gave no data key for the request log of ${model}`, { model });
  return { plain, wrapped: Buffer.from(wrapped).toString('base64') };
}

/**
 * Reads what a line of a function's log holds: an answered request, or one that nobody answered; undefined where it is none of the request log's.
 * @throws GatehouseError `REQUEST_LINE_DAMAGED`, and what KMS and S3 throw
 */
export function lineReader({
  kms,
  s3,
  bucket,
}: {
  readonly kms: Pick<KMSClient, 'send'>;
  readonly s3: S3Client;
  readonly bucket: string;
}): (line: string) => Promise<RequestEntry | FailedEntry | undefined> {
  /** Data keys by their model and encrypted form; each execution environment of an endpoint has one. */
  const keys = new Map<string, Promise<Uint8Array>>();
  const unwrapped = async ({ key, model }: LogLine): Promise<Uint8Array> => {
    const name = `${model} ${key}`;
    const plain = keys.get(name) ?? decrypted(kms, key, model);
    keys.set(name, plain);
    if (keys.size > MOST_KEYS) keys.delete(keys.keys().next().value ?? '');
    try {
      return await plain;
    } catch (error) {
      keys.delete(name);
      throw error;
    }
  };
  return async (text) => {
    const line = parseLine(text);
    if (line === undefined) return undefined;
    const { model, request, iv, data, object } = line;
    const sealed =
      object === undefined ? Buffer.from(data ?? '', 'base64') : await longEntry(s3, bucket, model, object);
    const plainKey = await unwrapped(line);
    try {
      const body = sealed.subarray(0, -TAG_BYTES);
      const decipher = createDecipheriv(CIPHER, plainKey, Buffer.from(iv, 'base64'))
        .setAAD(Buffer.from(request))
        .setAuthTag(sealed.subarray(-TAG_BYTES));
      const plain = gunzipSync(Buffer.concat([decipher.update(body), decipher.final()]));
      const entry: unknown = JSON.parse(plain.toString());
      return typeof entry === 'object' && entry !== null && 'failed' in entry
        ? parseDocument(FailedEntry, entry, 'entry of a failed request')
        : parseDocument(RequestEntry, entry, 'request entry');
    } catch (error) {
      throw damaged(`the entry of request ${request} cannot be decrypted`, error);
    }
  };
}

/** Endpoints have one key for each execution environment; the oldest are asked for again. */
const MOST_KEYS = 500;

async function decrypted(kms: Pick<KMSClient, 'send'>, key: string, model: string): Promise<Uint8Array> {
  const { Plaintext: plain } = await kms.send(
    new DecryptCommand({ CiphertextBlob: Buffer.from(key, 'base64'), EncryptionContext: { model } }),
  );
  if (plain === undefined)
    throw new GatehouseError('REQUEST_LOG_KEY', `KMS decrypted no data key of the request log of ${model}`, { model });
  return plain;
}

async function longEntry(s3: S3Client, bucket: string, model: string, object: Digest): Promise<Buffer> {
  const key = longEntryKey(model, object);
  const content = await readObject(s3, bucket, key);
  if (content === undefined) throw new GatehouseError('ARTIFACT_MISSING', `no object ${key} in ${bucket}`, { key });
  if (digestOf(content) !== object)
    throw new GatehouseError('ARTIFACT_TAMPERED', `${key} in ${bucket} does not hash to its name`, { key, bucket });
  return Buffer.from(content);
}

/** A line of the request log. Other lines may hold its word, in a path that somebody called for one. */
function parseLine(text: string): LogLine | undefined {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    json = undefined;
  }
  const isOurs = typeof json === 'object' && json !== null && 'kind' in json && json.kind === REQUEST_LOGGED;
  if (!isOurs) {
    // The start of a line that was cut is no JSON.
    if (text.trimStart().startsWith(`{"kind":"${REQUEST_LOGGED}"`)) throw damaged('a line of the request log is cut');
    return undefined;
  }
  const line = LogLine.safeParse(json);
  if (line.success) return line.data;
  throw damaged('a line of the request log has another shape', line.error);
}

function damaged(message: string, cause?: unknown): GatehouseError {
  return new GatehouseError('REQUEST_LINE_DAMAGED', message, {}, cause);
}
