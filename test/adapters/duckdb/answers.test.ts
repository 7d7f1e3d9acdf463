import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { measureAnswers } from '#adapters/duckdb/answers.ts';
import { writeRequests } from '#adapters/duckdb/request-files.ts';
import { type Digest, digestOf } from '#domain/canonical/digest.ts';
import type { DayFile } from '#ports/feature-engine.ts';
import { compileModel } from '#model/compile.ts';
import { answeredEvents, loggedRequest } from '#test/domain/prediction/_logged.ts';
import { workspace } from './_fixture.ts';

const { parquet, path } = workspace();
const DAY = '2026-03-02';
const [OLD, NEW] = [digestOf('old'), digestOf('new')];

/** A request of a minute, by a release, with what its events got. */
function request(name: string, release: Digest, minute: number, events: Readonly<Record<string, number>>) {
  const startedAt = `${DAY}T08:${String(minute).padStart(2, '0')}:00.000Z`;
  const about = { request: name, model: 'card-fraud', release, startedAt };
  return { request: loggedRequest({ ...about, events: answeredEvents(events) }), raw: null };
}

it('measures each event by its first answer, its newest label, and the batch of the same release', async () => {
  const definition = await compileModel(join(import.meta.dirname, '../../models/card-fraud'));
  const entries = [
    request('call 2', NEW, 5, { 3: 0.9, 4: 0.5, 5: 0.125 }),
    request('call 1', OLD, 1, { 1: 0.5, 2: 0.25, 3: 0.75 }),
  ];
  const { requests } = await writeRequests(entries, path(''));
  const labels = await parquet(
    'labels.parquet',
    `SELECT id::BIGINT AS payment_id, disputed, reported::TIMESTAMP AS reported_at FROM (VALUES
       (1, false, '2026-03-03 10:00'), (1, true, '2026-03-03 12:00'), (2, false, '2026-03-03 10:00'),
       (4, true, '2026-03-03 10:00'), (9, true, '2026-03-03 10:00')) AS t(id, disputed, reported)`,
  );
  const predictions = await parquet(
    'predictions.parquet',
    "SELECT row_id, p AS prediction FROM (VALUES ('1', 0.5), ('4', 0.25), ('5', 0.125)) AS t(row_id, p)",
  );
  const found = await measureAnswers({
    // The same delivery twice.
    requests: [requests, requests].map((file) => ({ day: DAY, file })),
    labels: [{ day: '2026-03-03', file: labels }],
    predictions: [{ day: DAY, release: NEW, file: predictions }],
    definition,
  });
  const of = (release: string) => ('days' in found ? found.days.find((each) => each.release === release) : undefined);
  expect(of(OLD)).toMatchObject({
    day: DAY,
    arm: 'champion',
    answers: 3,
    labelled: 2,
    paired: 0,
    pairedLoss: null,
    different: 0,
  });
  expect(of(OLD)?.loss).toBeCloseTo((-Math.log(0.5) - Math.log(0.75)) / 2, 12);
  expect(of(NEW)).toMatchObject({ answers: 2, labelled: 1, paired: 1, different: 1 });
  expect(of(NEW)?.pairedLoss?.answers).toBeCloseTo(-Math.log(0.5), 12);
  expect(of(NEW)?.pairedLoss?.batch).toBeCloseTo(-Math.log(0.25), 12);
  expect(await measureAnswers({ requests: [], labels: [], predictions: [], definition })).toEqual({
    kind: 'measured',
    days: [],
  });
});

it('counts an event that is of two days once on each, with the prediction of that day', async () => {
  const definition = await compileModel(join(import.meta.dirname, '../../models/card-fraud'));
  const other = '2026-03-03';
  const one = request('call 1', NEW, 1, { 1: 0.5 });
  const two = { ...one, request: { ...one.request, request: 'call 2', day: other } };
  const requests: DayFile[] = [];
  for (const [index, entry] of [one, two].entries()) {
    await mkdir(path(`two-days-${index}`));
    requests.push({ day: entry.request.day, file: (await writeRequests([entry], path(`two-days-${index}`))).requests });
  }
  const predicted = (name: string, p: number): Promise<string> =>
    parquet(name, `SELECT '1' AS row_id, ${String(p)}::DOUBLE AS prediction`);
  const labels = await parquet(
    'two-days-labels.parquet',
    "SELECT 1::BIGINT AS payment_id, true AS disputed, TIMESTAMP '2026-03-04' AS reported_at",
  );
  const found = await measureAnswers({
    // So many files that a reading of each by itself would not fit into the memory.
    requests: Array.from({ length: 2000 }, (_, index) => requests[index % 2] ?? { day: DAY, file: '' }),
    labels: [{ day: '2026-03-04', file: labels }],
    predictions: [
      { day: DAY, release: NEW, file: await predicted('day-1.parquet', 0.5) },
      { day: other, release: NEW, file: await predicted('day-2.parquet', 0.25) },
    ],
    definition,
  });
  const counted = { answers: 1, labelled: 1, paired: 1 };
  expect(found).toMatchObject({
    days: [
      { day: DAY, ...counted, different: 0 },
      { day: other, ...counted, different: 1 },
    ],
  });
});
