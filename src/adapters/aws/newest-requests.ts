import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { paginateListObjectsV2, type S3Client } from '@aws-sdk/client-s3';
import { readRequests } from '#adapters/duckdb/request-files.ts';
import { newestRequests } from '#domain/prediction/newest-requests.ts';
import { minuteOf } from '#domain/prediction/request-log.ts';
import type { NewestRequests } from '#ports/request-log.ts';
import { atMost } from '../at-most.ts';
import { readObject } from './artifact-store.ts';
import { AT_ONCE } from './lake.ts';
import { folderOf, inFolder, MOST_FILES, s3RequestStore } from './request-store.ts';

/** Files that are read together at most, and bytes of raw events above which the next ones are half as many. */
const FILES_TOGETHER = 64;
const BYTES_TOGETHER = 8 * 1024 * 1024;

interface File {
  readonly day: string;
  readonly name: string;
}

/** The newest requests of the log in S3: files are read from the newest on until there are enough, so that a busy day is never read as a whole. */
export function s3NewestRequests(client: S3Client, bucket: string): NewestRequests {
  const inTurn = atMost(AT_ONCE);
  const list = async (model: string, day: string, first: string): Promise<readonly File[]> => {
    const prefix = folderOf('requests', model, day);
    const files: File[] = [];
    const pages = paginateListObjectsV2({ client }, { Bucket: bucket, Prefix: prefix, StartAfter: prefix + first });
    for await (const { Contents: found = [] } of pages)
      for (const { Key: key = '' } of found) files.push({ day, name: key.slice(prefix.length) });
    return files;
  };
  const copy = (kind: 'requests' | 'raw', model: string, { day, name }: File, folder: string) =>
    inTurn(async () => {
      const content = await readObject(client, bucket, folderOf(kind, model, day) + name);
      // Raw events expire, or were never kept.
      if (content === undefined) return undefined;
      const file = join(folder, `${kind}-${day}-${name}`);
      await writeFile(file, content);
      return { file, bytes: content.byteLength };
    });
  return {
    async readNewest({ model, from, until, ...asked }) {
      const days = await s3RequestStore(client, bucket).days(model);
      const [first, last] = [minuteOf(from.toISOString()), minuteOf(until.toISOString())];
      const listed = await Promise.all(days.map((day) => list(model, day, first)));
      const files = listed
        .flat()
        .filter(({ name }) => name.slice(0, last.length) <= last)
        .toSorted((a, b) => (a.name < b.name ? 1 : -1))
        .slice(0, MOST_FILES);
      const newest = newestRequests({ ...asked, from, until });
      let together = 1;
      for (let next = 0; next < files.length && !newest.isFull();) {
        const part = files.slice(next, next + together);
        next += part.length;
        const bytes = await inFolder(async (folder) => {
          const of = async (kind: 'requests' | 'raw') =>
            (await Promise.all(part.map((file) => copy(kind, model, file, folder)))).filter(
              (each) => each !== undefined,
            );
          const [requests, raw] = await Promise.all([of('requests'), of('raw')]);
          newest.add(
            await readRequests({ requests: requests.map(({ file }) => file), raw: raw.map(({ file }) => file) }),
          );
          return raw.reduce((sum, each) => sum + each.bytes, 0);
        });
        together = bytes > BYTES_TOGETHER ? Math.ceil(together / 2) : Math.min(FILES_TOGETHER, together * 2);
      }
      return newest.found();
    },
  };
}
