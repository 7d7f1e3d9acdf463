import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { countChangedAnswers, countChangedRows } from '#adapters/duckdb/changed-decisions.ts';
import { literal, withDatabase } from '#adapters/duckdb/database.ts';
import { digestOf } from '#domain/canonical/digest.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-decisions-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** Writes the rows of a query as a Parquet file. */
async function file(name: string, sql: string): Promise<string> {
  const path = join(folder, `${name}.parquet`);
  await withDatabase('256MB', (connection) => connection.run(`COPY (${sql}) TO ${literal(path)} (FORMAT parquet)`));
  return path;
}
const rows = (name: string, values: string) => file(name, `SELECT * FROM (VALUES ${values}) AS t(row_id, prediction)`);

it('counts decisions that lie on two sides of the threshold, and rows that cannot be compared', async () => {
  const bad = await rows('bad', "('a', 0.1), ('b', 0.2), ('c', 0.9), ('d', 0.5)");
  const good = await rows('good', "('a', 0.19), ('b', 0.1), ('c', 0.8)");
  expect(await countChangedRows([{ bad, good }], 0.2)).toEqual({ compared: 3, changed: 1, unknown: 1 });
  expect(await countChangedRows([], 0.2)).toEqual({ compared: 0, changed: 0, unknown: 0 });
});

it('counts an event by its first answer of the release and epoch', async () => {
  const [bad, other] = [digestOf('bad'), digestOf('other')];
  const answer = (request: string, began: string, release: string, epoch: number, events: string) =>
    `('${request}', '2026-03-02T09:${began}Z', '${release}', ${epoch}, [${events}])`;
  const requests = await file(
    'requests',
    `SELECT * FROM (VALUES
       ${answer('1', '00:00', bad, 2, "{id: 'a', probability: 0.9}, {id: 'z', probability: 0.9}")},
       ${answer('2', '01:00', bad, 2, "{id: 'a', probability: 0.1}, {id: 'b', probability: 0.1}")},
       ${answer('3', '00:30', other, 3, "{id: 'b', probability: 0.9}")},
       ${answer('4', '00:10', bad, 4, "{id: 'b', probability: 0.9}")}
     ) AS t(request, "startedAt", release, epoch, events)`,
  );
  const good = await rows('good', "('a', 0.1), ('b', 0.1)");
  const counted = await countChangedAnswers({
    requests: [requests],
    release: bad,
    epoch: 2,
    good: [good],
    threshold: 0.2,
  });
  expect(counted).toEqual({ compared: 2, changed: 1, unknown: 1 });
});
