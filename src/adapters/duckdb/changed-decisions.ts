import type { Digest } from '#domain/canonical/digest.ts';
import { literal, rowsOf, withDatabase } from './database.ts';
import { source } from './inputs.ts';
import { requestsIn } from './request-files.ts';

/** What comparing two days of predictions may take. */
const MEMORY = '1GB';

/** How many rows were compared, of how many a decision is another one, and how many have no row to be compared with. */
export interface ChangedDecisions {
  readonly compared: number;
  readonly changed: number;
  readonly unknown: number;
}

/** Counts the rows of pairs of prediction files whose probabilities lie on two sides of a threshold. */
export async function countChangedRows(
  pairs: readonly { readonly bad: string; readonly good: string }[],
  threshold: number,
): Promise<ChangedDecisions> {
  const total = { compared: 0, changed: 0, unknown: 0 };
  await withDatabase(MEMORY, async (connection) => {
    for (const { bad, good } of pairs) {
      const [row] = await rowsOf(
        connection,
        `SELECT ${COUNTS('bad.prediction', 'good.prediction', threshold)}
         FROM ${source(bad)} AS bad LEFT JOIN ${source(good)} AS good USING (row_id)`,
      );
      total.compared += Number(row?.['compared']);
      total.changed += Number(row?.['changed']);
      total.unknown += Number(row?.['unknown']);
    }
  });
  return total;
}

/** The same for what a release has answered in an epoch, each event by its first answer, beside the predictions of the good one. */
export async function countChangedAnswers(input: {
  readonly requests: readonly string[];
  readonly release: Digest;
  readonly epoch: number;
  readonly good: readonly string[];
  readonly threshold: number;
}): Promise<ChangedDecisions> {
  const { requests, release, epoch, good, threshold } = input;
  return withDatabase(MEMORY, async (connection) => {
    await connection.run('CREATE TABLE good (id VARCHAR, q DOUBLE)');
    for (const file of good)
      await connection.run(`INSERT INTO good SELECT CAST(row_id AS VARCHAR), prediction FROM ${source(file)}`);
    const [row] = await rowsOf(
      connection,
      `SELECT ${COUNTS('p', 'q', threshold)} FROM (
         SELECT event.id AS id, event.probability AS p FROM (
           SELECT request, "startedAt" AS began, unnest(events) AS event FROM ${requestsIn(requests)}
           WHERE release = ${literal(release)} AND epoch = ${epoch})
         QUALIFY row_number() OVER (PARTITION BY event.id ORDER BY began, request) = 1
       ) LEFT JOIN (SELECT id, any_value(q) AS q FROM good GROUP BY id) USING (id)`,
    );
    return {
      compared: Number(row?.['compared']),
      changed: Number(row?.['changed']),
      unknown: Number(row?.['unknown']),
    };
  });
}

const COUNTS = (bad: string, good: string, threshold: number): string =>
  `count(*) FILTER (${good} IS NOT NULL) AS compared,
   count(*) FILTER (${good} IS NOT NULL AND (${bad} >= ${threshold}) <> (${good} >= ${threshold})) AS changed,
   count(*) FILTER (${good} IS NULL) AS unknown`;
