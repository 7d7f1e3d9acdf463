import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeRequests } from '../duckdb/request-files.ts';
import { newestRequests } from '#domain/prediction/newest-requests.ts';
import { type FailedRequest, minuteOf, type RequestEntry } from '#domain/prediction/request-log.ts';
import type { NewestRequests, RequestLog, RequestStore } from '#ports/request-log.ts';
import { canonicalJson } from '#domain/canonical/digest.ts';

/** A request log that keeps what is written; `opened` counts how often it was made ready. */
export function memoryRequestLog(): RequestLog & {
  readonly entries: RequestEntry[];
  readonly failed: FailedRequest[];
  opened: number;
} {
  const log = {
    entries: [] as RequestEntry[],
    failed: [] as FailedRequest[],
    opened: 0,
    async open() {
      log.opened += 1;
    },
    async write(request: RequestEntry['request'], raw: NonNullable<RequestEntry['raw']>) {
      log.entries.push({ request, raw });
    },
    async writeFailed(failed: FailedRequest) {
      log.failed.push(failed);
    },
  };
  return log;
}

/** The request log of a lake in memory. */
export function memoryRequestStore(): RequestStore &
  NewestRequests & {
    readonly entries: Map<string, RequestEntry>;
    readonly failed: Map<string, FailedRequest>;
  } {
  const entries = new Map<string, RequestEntry>();
  const failed = new Map<string, FailedRequest>();
  const stored = (own: readonly RequestEntry[]) => {
    const raw = new Map<string, string>();
    for (const { request, raw: kept } of own) {
      if (kept === null) continue;
      raw.set(request.context, canonicalJson(kept.context));
      for (const [index, { digest }] of request.events.entries()) raw.set(digest, canonicalJson(kept.events[index]));
    }
    return { requests: own.map(({ request }) => request), raw };
  };
  return {
    entries,
    failed,
    async addFailed(added) {
      for (const each of added) failed.set(canonicalJson(each), each);
    },
    async add(added) {
      for (const entry of added) entries.set(canonicalJson(entry), entry);
    },
    async days(model) {
      const own = [...entries.values()].filter(({ request }) => request.model === model);
      return [...new Set(own.map(({ request }) => request.day))].toSorted();
    },
    async fetch(model, day, folder, since) {
      const own = [...entries.values()].filter(
        ({ request }) =>
          request.model === model &&
          request.day === day &&
          (since === undefined || minuteOf(request.startedAt) >= minuteOf(since.toISOString())),
      );
      if (own.length === 0) return [];
      const home = join(folder, `requests-${day}`);
      await mkdir(home);
      return [(await writeRequests(own, home)).requests];
    },
    async fetchFailed(model, folder, since) {
      const own = [...failed.values()].filter(
        (each) => each.model === model && minuteOf(each.startedAt) >= minuteOf(since.toISOString()),
      );
      if (own.length === 0) return [];
      const file = join(folder, 'failed-requests.json');
      await writeFile(file, own.map((each) => `${canonicalJson(each)}\n`).join(''));
      return [file];
    },
    async read(model, day) {
      return stored([...entries.values()].filter(({ request }) => request.model === model && request.day === day));
    },
    async readNewest({ model, ...asked }) {
      const newest = newestRequests(asked);
      newest.add(stored([...entries.values()].filter(({ request }) => request.model === model)));
      return newest.found();
    },
  };
}
