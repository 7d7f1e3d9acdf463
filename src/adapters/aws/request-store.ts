import { readFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { paginateListObjectsV2, PutObjectCommand, type S3Client, S3ServiceException } from '@aws-sdk/client-s3';
import { readRequests, writeRequests } from '#adapters/duckdb/request-files.ts';
import { canonicalJson, digestOf } from '#domain/canonical/digest.ts';
import { GatehouseError } from '#domain/error.ts';
import { type FailedRequest, minuteOf, RAW_EVENTS, type RequestEntry } from '#domain/prediction/request-log.ts';
import type { RequestStore } from '#ports/request-log.ts';
import { atMost } from '../at-most.ts';
import { readObject } from './artifact-store.ts';
import { AT_ONCE } from './lake.ts';

/** What of a request is kept: receipts with probabilities, and raw events. */
type Kind = 'requests' | 'raw';

/** Where files of a model's day lie; the day is that of the events. All raw events have one prefix, which expires whatever model they are of. */
export function folderOf(kind: Kind, model: string, day: string): string {
  return kind === 'raw' ? `${RAW_EVENTS}${model}/day=${day}/` : `${model}/requests/day=${day}/`;
}

/** Where requests that nobody answered lie, an object for each minute of a delivery: a line of JSON for each. */
function failedFolderOf(model: string): string {
  return `${model}/failed-requests/`;
}

/** Files of a day that are read: some minutes of requests to S3. */
export const MOST_FILES = 20_000;
/** Those that are read since a moment: a day of 34 deliveries a minute. A canary looks at all since its beginning. */
const MOST_FILES_SINCE = 50_000;

/**
 * The request log as Parquet in S3, a file for each minute of a delivery. Its name is made of what it holds: the same delivery
 * makes the same file again, and whoever reads takes what two deliveries hold once.
 */
export function s3RequestStore(client: S3Client, bucket: string): RequestStore {
  const inTurn = atMost(AT_ONCE);
  const put = async (key: string, body: Uint8Array): Promise<void> => {
    try {
      await client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body, IfNoneMatch: '*' }));
    } catch (error) {
      if (!(error instanceof S3ServiceException) || ![409, 412].includes(error.$metadata.httpStatusCode ?? 0))
        throw error;
    }
  };
  const fetch = async (prefix: string, name: string, folder: string, since?: Date): Promise<readonly string[]> => {
    const keys: string[] = [];
    const most = since === undefined ? MOST_FILES : MOST_FILES_SINCE;
    // A file is named by the minute of its requests.
    const first = since === undefined ? '' : minuteOf(since.toISOString());
    for await (const page of paginateListObjectsV2(
      { client },
      { Bucket: bucket, Prefix: prefix, ...(first === '' ? {} : { StartAfter: prefix + first }) },
    ))
      for (const { Key: key = '' } of page.Contents ?? []) if (key.slice(prefix.length) >= first) keys.push(key);
    if (keys.length > most) {
      const found = `${prefix} has ${keys.length} files${since === undefined ? '' : ` since ${since.toISOString()}`}`;
      throw new GatehouseError('REQUESTS_TOO_MANY', `${found}, at most ${most} are read`, { prefix });
    }
    const copies = keys.map((key, index) =>
      inTurn(async () => {
        const content = await readObject(client, bucket, key);
        if (content === undefined)
          throw new GatehouseError('ARTIFACT_MISSING', `no object ${key} in ${bucket}`, { key, bucket });
        const file = join(folder, `${name}-${index}${extname(key)}`);
        await writeFile(file, content);
        return file;
      }),
    );
    return Promise.all(copies);
  };
  const addGroup = async (group: readonly RequestEntry[], folder: string): Promise<void> => {
    const [first] = group;
    if (first === undefined) return;
    const { model, day, startedAt } = first.request;
    const files = await writeRequests(group, folder);
    const name = `${minuteOf(startedAt)}-${nameOf(group)}.parquet`;
    // Raw events first: an answer that is there has them.
    for (const kind of ['raw', 'requests'] as const) {
      const file = files[kind];
      if (file !== undefined) await put(folderOf(kind, model, day) + name, await readFile(file));
    }
  };
  const addFailedGroup = async (group: readonly FailedRequest[]): Promise<void> => {
    const [first] = group;
    if (first === undefined) return;
    const key = `${failedFolderOf(first.model)}${minuteOf(first.startedAt)}-${nameOf(group)}.json`;
    await put(key, new TextEncoder().encode(group.map((failed) => `${canonicalJson(failed)}\n`).join('')));
  };
  return {
    fetch: (model, day, folder, since) => fetch(folderOf('requests', model, day), `requests-${day}`, folder, since),
    fetchFailed: (model, folder, since) => fetch(failedFolderOf(model), 'failed-requests', folder, since),
    async add(entries) {
      const groups = Map.groupBy(entries, ({ request: { model, day, startedAt } }) =>
        JSON.stringify([model, day, minuteOf(startedAt)]),
      );
      await allStored([...groups.values()].map((group) => inFolder((folder) => addGroup(group, folder))));
    },
    async addFailed(failed) {
      const groups = Map.groupBy(failed, ({ model, startedAt }) => JSON.stringify([model, minuteOf(startedAt)]));
      await allStored([...groups.values()].map(addFailedGroup));
    },
    async days(model) {
      const [before = '', after = ''] = folderOf('requests', model, 'DAY').split('DAY');
      const pages = paginateListObjectsV2({ client }, { Bucket: bucket, Prefix: before, Delimiter: after });
      const days: string[] = [];
      for await (const { CommonPrefixes: found = [] } of pages)
        for (const { Prefix: prefix = '' } of found) days.push(prefix.slice(before.length, -after.length));
      return days.toSorted();
    },
    read: (model, day) =>
      inFolder(async (folder) => {
        const [requests, raw] = await Promise.all([
          fetch(folderOf('requests', model, day), 'requests', folder),
          fetch(folderOf('raw', model, day), 'raw', folder),
        ]);
        return readRequests({ requests, raw });
      }),
  };
}

/** Waits for groups that are added at once: one that cannot be keeps no other from the lake. */
async function allStored(added: readonly Promise<void>[]): Promise<void> {
  const faults = (await Promise.allSettled(added)).flatMap((result) =>
    result.status === 'rejected' ? [result.reason as unknown] : [],
  );
  if (faults.length > 0) throw new AggregateError(faults, `${faults.length} of ${added.length} groups are not stored`);
}

function nameOf(entries: readonly (RequestEntry | FailedRequest)[]): string {
  return digestOf(canonicalJson(entries)).slice('sha256:'.length, 'sha256:'.length + 32);
}

/** Some work with a folder of its own, which is gone afterwards. */
export async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-requests-'));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
