import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { canonicalJson, parseDocument } from '#domain/canonical/digest.ts';
import { LoggedRequest, type RequestEntry } from '#domain/prediction/request-log.ts';
import type { StoredRequests } from '#ports/request-log.ts';
import { fileLiteral, literal, name, PARQUET, rowsOf, withDatabase } from './database.ts';
import { sources } from './inputs.ts';

/** What writing a delivery of CloudWatch Logs may take. */
const WRITE_MEMORY = '256MB';
/** What reading a day may take. */
const READ_MEMORY = '1GB';

/** The columns of the request log, in which a row is a request. */
const REQUESTS: Readonly<Record<keyof LoggedRequest, string>> = {
  formatVersion: 'INTEGER',
  request: 'VARCHAR',
  model: 'VARCHAR',
  version: 'VARCHAR',
  release: 'VARCHAR',
  arm: 'VARCHAR',
  armFailure: 'STRUCT(kind VARCHAR, cause VARCHAR)',
  epoch: 'BIGINT',
  pointerSeq: 'BIGINT',
  aggregates: 'VARCHAR',
  aggregatesUntil: 'VARCHAR',
  context: 'VARCHAR',
  day: 'VARCHAR',
  startedAt: 'VARCHAR',
  milliseconds: 'DOUBLE',
  events: 'STRUCT(id VARCHAR, digest VARCHAR, probability DOUBLE)[]',
};
/**
 * Requests of some files of the log as a table for a query: each file's columns by their names. A column that is newer than a file is null of its
 * rows; without the empty table it would be missing where all files are older.
 */
export function requestsIn(files: readonly string[]): string {
  const columns = Object.entries(REQUESTS).map(([column, type]) => `CAST(NULL AS ${type}) AS ${name(column)}`);
  const read = `read_parquet([${files.map(fileLiteral).join(', ')}], hive_partitioning = false, union_by_name = true)`;
  return `((SELECT ${columns.join(', ')} LIMIT 0) UNION ALL BY NAME SELECT * FROM ${read})`;
}

/** The columns of raw events, and of contexts, as canonical JSON. */
const RAW = { digest: 'VARCHAR', json: 'VARCHAR' } as const;

/** Writes entries as two Parquet files: the answered requests, and where any were kept the raw events and contexts by their digests. */
export async function writeRequests(
  entries: readonly RequestEntry[],
  folder: string,
): Promise<{ readonly requests: string; readonly raw: string | undefined }> {
  const texts = new Map<string, string>();
  for (const { request, raw } of entries) {
    if (raw === null) continue;
    texts.set(request.context, canonicalJson(raw.context));
    for (const [index, { digest }] of request.events.entries())
      texts.set(digest, canonicalJson(raw.events[index] ?? {}));
  }
  const requests = await written(
    join(folder, 'requests'),
    REQUESTS,
    entries.map(({ request }) => request),
  );
  const raw = [...texts].map(([digest, json]) => ({ digest, json }));
  return { requests, raw: raw.length === 0 ? undefined : await written(join(folder, 'raw'), RAW, raw) };
}

async function written(
  path: string,
  columns: Readonly<Record<string, string>>,
  rows: readonly object[],
): Promise<string> {
  const lines = `${path}.ndjson`;
  const file = `${path}.parquet`;
  await writeFile(lines, rows.map((row) => JSON.stringify(row)).join('\n'));
  const types = Object.entries(columns).map(([column, type]) => `${name(column)}: ${literal(type)}`);
  const read = `read_json(${fileLiteral(lines)}, format = 'newline_delimited', maximum_object_size = 16777216,
    columns = {${types.join(', ')}})`;
  await withDatabase(WRITE_MEMORY, (connection) =>
    connection.run(`COPY (FROM ${read}) TO ${literal(file)} (${PARQUET})`),
  );
  return file;
}

/** Reads files of the request log; what several of them hold is there once. @throws GatehouseError `BAD_DOCUMENT` */
export async function readRequests(files: {
  readonly requests: readonly string[];
  readonly raw: readonly string[];
}): Promise<StoredRequests> {
  const rows = (
    paths: readonly string[],
    columns: string,
    table: (paths: readonly string[]) => string,
  ): Promise<readonly Readonly<Record<string, unknown>>[]> =>
    paths.length === 0
      ? Promise.resolve([])
      : withDatabase(READ_MEMORY, (connection) =>
          rowsOf(connection, `SELECT DISTINCT ${columns} FROM ${table(paths)} AS stored ORDER BY ALL`),
        );
  const requests = await rows(files.requests, 'CAST(to_json(stored) AS VARCHAR) AS request', requestsIn);
  const raw = await rows(files.raw, 'digest, json', sources);
  return {
    requests: requests.map(({ request }) =>
      parseDocument(LoggedRequest, JSON.parse(String(request)), 'request of the log'),
    ),
    raw: new Map(raw.map(({ digest, json }) => [String(digest), String(json)])),
  };
}
