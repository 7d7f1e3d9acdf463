import type { Digest } from '#domain/canonical/digest.ts';
import { literal, rowsOf, withDatabase } from './database.ts';
import { requestsIn } from './request-files.ts';

/** What counting a day of requests may take. */
const MEMORY = '512MB';

/** How many requests of some files of the request log are of an epoch before one, and began after a moment. */
export async function countAnswersOfOlderEpochs(input: {
  readonly requests: readonly string[];
  readonly epoch: number;
  readonly since: string;
}): Promise<number> {
  const { requests, epoch, since } = input;
  if (requests.length === 0) return 0;
  const [row] = await withDatabase(MEMORY, (connection) =>
    rowsOf(
      connection,
      `SELECT count(DISTINCT request) AS answers FROM ${requestsIn(requests)}
       WHERE epoch < ${epoch} AND ${MOMENT} > ${literal(since)}::TIMESTAMPTZ`,
    ),
  );
  return Number(row?.['answers']);
}

/** How many requests of a release began between two moments, and the 99th percentile of their milliseconds; null of none. */
export async function measureLatency(input: {
  readonly requests: readonly string[];
  readonly release: Digest;
  readonly from: string;
  readonly until: string;
}): Promise<{ readonly answers: number; readonly p99: number | null }> {
  const { requests, release, from, until } = input;
  if (requests.length === 0) return { answers: 0, p99: null };
  const [row] = await withDatabase(MEMORY, (connection) =>
    rowsOf(
      connection,
      `SELECT count(*) AS answers, quantile_cont(milliseconds, 0.99) AS p99 FROM (
         SELECT DISTINCT request, milliseconds FROM ${requestsIn(requests)}
         WHERE release = ${literal(release)} AND ${MOMENT} BETWEEN ${literal(from)}::TIMESTAMPTZ AND ${literal(until)}::TIMESTAMPTZ)`,
    ),
  );
  return { answers: Number(row?.['answers'] ?? 0), p99: row?.['p99'] === null ? null : Number(row?.['p99']) };
}

/** How many requests began between two moments, the second of them left out, and how many of those took longer than some milliseconds. */
export async function countAnswered(input: {
  readonly requests: readonly string[];
  readonly milliseconds: number;
  readonly from: Date;
  readonly until: Date;
}): Promise<{ readonly answered: number; readonly slow: number }> {
  const { requests, milliseconds, from, until } = input;
  if (requests.length === 0) return { answered: 0, slow: 0 };
  const within = `${MOMENT} >= ${literal(from.toISOString())}::TIMESTAMPTZ AND ${MOMENT} < ${literal(until.toISOString())}::TIMESTAMPTZ`;
  const [row] = await withDatabase(MEMORY, (connection) =>
    rowsOf(
      connection,
      `SELECT count(*) AS answered, count(*) FILTER (milliseconds > ${milliseconds}) AS slow FROM (
         SELECT request, max(milliseconds) AS milliseconds FROM ${requestsIn(requests)} WHERE ${within} GROUP BY request)`,
    ),
  );
  return { answered: Number(row?.['answered'] ?? 0), slow: Number(row?.['slow'] ?? 0) };
}

/** When a request began; the log has ISO 8601 texts. */
const MOMENT = '"startedAt"::TIMESTAMPTZ';
