import { Arm, type CanaryMinute, NOTHING } from '#domain/canary/counts.ts';
import { ENGINE_MEMORY } from '#domain/data/engine-limits.ts';
import { GatehouseError } from '#domain/error.ts';
import { fileLiteral, literal, rowsOf, withinMemory } from './database.ts';
import { requestsIn } from './request-files.ts';

/** Files that are read together: until the last is read the engine keeps what it knows of each, beside its buffers; 50,000 at once took 4 GB. */
const FILES_TOGETHER = 250;

/**
 * What each arm answered in each minute of a window. A request is the id of its first event; of all its lines, answered or not, the first one
 * counts, by when it began and then by its name. 17 million lines take a minute and 1.7 GB, as their ids are hashed; 50,000
 * files of a few lines a minute and 0.4 GB.
 * @throws GatehouseError `REQUESTS_TOO_MANY`
 */
export async function countArms(input: {
  /** Files of answered requests. */
  readonly requests: readonly string[];
  /** Files of requests that nobody answered, a line each. */
  readonly failed: readonly string[];
  /** Minutes count that begin at or after the one, and end at or before the other. */
  readonly from: string;
  readonly until: string;
  readonly sincePointerSeq: number | null;
  /** Without an objective no answer is slow, not even a late one. */
  readonly objectiveMs: number | null;
}): Promise<readonly CanaryMinute[]> {
  const { requests, failed } = input;
  if (requests.length + failed.length === 0) return [];
  const parts = [
    ...inParts(requests).map((files) => answered(files, input.objectiveMs)),
    ...inParts(failed).map((files) => unanswered(files)),
  ];
  const about = () => `requests in ${requests.length + failed.length} files of the log`;
  const rows = await withinMemory({ memory: ENGINE_MEMORY, about, spills: true }, async (connection) => {
    // Each file is read once: what the engine would keep of 50,000 is 2 GB.
    await connection.run('SET enable_external_file_cache = false');
    await connection.run(LINES);
    for (const lines of parts) await connection.run(`INSERT INTO lines ${within(lines, input)}`);
    return rowsOf(connection, COUNTS);
  });
  if (!Array.isArray(rows))
    throw new GatehouseError('REQUESTS_TOO_MANY', rows.refusal.found, { files: requests.length + failed.length });
  const byMinute = Map.groupBy(rows, ({ minute }) => new Date(Number(minute)).toISOString());
  return [...byMinute].map(([minute, arms]) => {
    const counts = { candidate: NOTHING, control: NOTHING, champion: NOTHING };
    for (const { arm, requests: all, errors, slow, late } of arms)
      counts[Arm.parse(arm)] = {
        requests: Number(all),
        errors: Number(errors),
        slow: Number(slow),
        late: Number(late),
      };
    return { minute, ...counts };
  });
}

function inParts(files: readonly string[]): readonly (readonly string[])[] {
  return Array.from({ length: Math.ceil(files.length / FILES_TOGETHER) }, (_, index) =>
    files.slice(index * FILES_TOGETHER, (index + 1) * FILES_TOGETHER),
  );
}

const LINES = `CREATE TABLE lines (
  id UHUGEINT, began TIMESTAMPTZ, request VARCHAR, arm VARCHAR, is_error BOOLEAN, is_slow BOOLEAN, is_late BOOLEAN)`;

function answered(files: readonly string[], objectiveMs: number | null): string {
  const isSlow = objectiveMs === null ? 'false' : `kind = 'late' OR milliseconds > ${objectiveMs}`;
  return `SELECT id, began, request, arm, "pointerSeq", coalesce(kind = 'failed', false) AS is_error, coalesce(${isSlow}, false) AS is_slow,
      coalesce(kind = 'late', false) AS is_late
    FROM (SELECT *, "armFailure".kind AS kind, md5_number(events[1].id) AS id, "startedAt"::TIMESTAMPTZ AS began FROM ${requestsIn(files)})`;
}

function unanswered(files: readonly string[]): string {
  const columns = `{request: 'VARCHAR', arm: 'VARCHAR', "pointerSeq": 'BIGINT', event: 'VARCHAR', "startedAt": 'VARCHAR'}`;
  return `SELECT md5_number(event) AS id, "startedAt"::TIMESTAMPTZ AS began, request, arm, "pointerSeq", true AS is_error, false AS is_slow,
      false AS is_late
    FROM read_json([${files.map(fileLiteral).join(', ')}], format = 'newline_delimited', columns = ${columns})`;
}

/** Those of some lines that are in the window, and of the pointers that count. */
function within(lines: string, { from, until, sincePointerSeq }: Parameters<typeof countArms>[0]): string {
  return `SELECT id, began, request, arm, is_error, is_slow, is_late FROM (${lines})
    WHERE date_trunc('minute', began) >= ${literal(from)}::TIMESTAMPTZ
      AND date_trunc('minute', began) + INTERVAL 1 MINUTE <= ${literal(until)}::TIMESTAMPTZ
      ${sincePointerSeq === null ? '' : `AND "pointerSeq" >= ${sincePointerSeq}`}`;
}

/** Lines that began at the same moment under the same name are in a fixed order as well. */
const COUNTS = `SELECT epoch_ms(minute) AS minute, arm, count(*) FILTER (is_first) AS requests,
    count(*) FILTER (is_first AND is_error) AS errors, count(*) FILTER (is_first AND is_slow) AS slow,
    count(*) FILTER (is_first AND is_late) AS late
  FROM (
    SELECT date_trunc('minute', began) AS minute, arm, is_error, is_slow, is_late,
      row_number() OVER (PARTITION BY id ORDER BY began, request, arm, is_error, is_slow, is_late) = 1 AS is_first
    FROM lines
  )
  GROUP BY minute, arm ORDER BY minute, arm`;
