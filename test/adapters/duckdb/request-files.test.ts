import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { measureAnswers } from '#adapters/duckdb/answers.ts';
import { countChangedAnswers } from '#adapters/duckdb/changed-decisions.ts';
import { literal, withDatabase } from '#adapters/duckdb/database.ts';
import { countAnswered, countAnswersOfOlderEpochs, measureLatency } from '#adapters/duckdb/request-figures.ts';
import { readRequests, writeRequests } from '#adapters/duckdb/request-files.ts';
import { digestOf } from '#domain/canonical/digest.ts';
import { digestOfRows, rowsJson } from '#domain/data/event-json.ts';
import type { RequestEntry } from '#domain/prediction/request-log.ts';
import { loggedRequest } from '#test/domain/prediction/_logged.ts';
import { definition } from './_fixture.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-requests-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** Probabilities that few ways of writing a number keep. */
const PROBABILITIES = [0.1 + 0.2, 5e-324, 1 / 3, 0, 1, 0.30000001192092896];

function entry(request: string, ids: readonly string[], isKept = true): RequestEntry {
  const events = ids.map((id, index) => ({ id, text: `"${id}"\n[{'`, amount: PROBABILITIES[index] ?? null }));
  const context = [{ id: `before ${request}`, amount: null }];
  return {
    request: loggedRequest({
      request,
      aggregates: isKept ? digestOf('list') : null,
      aggregatesUntil: isKept ? '2026-03-01' : null,
      context: digestOfRows(context),
      startedAt: '2026-03-02T08:00:00.123Z',
      events: events.map((event, index) => ({
        id: event.id,
        digest: digestOfRows(event),
        probability: PROBABILITIES[index] ?? 0.5,
      })),
    }),
    raw: isKept ? { events, context } : null,
  };
}

it('gives back what was written, to the bit, and what two deliveries hold once', async () => {
  const [one, two, three] = [
    entry('call 1', ['a', '9007199254740993', "o'neil", 'd', 'e', 'f']),
    entry('call 2', ['g']),
    entry('call 3', ['h'], false),
  ];
  const files = [];
  for (const [index, entries] of [[one, two], [two], [three]].entries())
    files.push(await writeRequests(entries, await mkdtemp(join(folder, `delivery-${index}-`))));
  const read = await readRequests({
    requests: files.map(({ requests }) => requests),
    raw: files.flatMap(({ raw }) => raw ?? []),
  });
  expect(read.requests).toEqual([one.request, two.request, three.request]);
  for (const { request, raw } of [one, two]) {
    expect(read.raw.get(request.context)).toBe(rowsJson(raw?.context ?? []));
    for (const [index, { digest }] of request.events.entries()) {
      expect(read.raw.get(digest)).toBe(rowsJson(raw?.events[index] ?? {}));
      expect(digestOf(read.raw.get(digest) ?? '')).toBe(digest);
    }
  }
  expect(files[2]?.raw).toBeUndefined();
  expect(await readRequests({ requests: [], raw: [] })).toEqual({ requests: [], raw: new Map() });
});

it('makes the same bytes of the same delivery', async () => {
  const made = [];
  for (let time = 0; time < 2; time += 1) {
    const { requests } = await writeRequests([entry('call 1', ['a'])], await mkdtemp(join(folder, 'again-')));
    made.push(digestOf(await readFile(requests)));
  }
  expect(made[0]).toBe(made[1]);
});

/** A file of the log as it was before arms could fail. */
async function olderFile(entries: readonly RequestEntry[]): Promise<string> {
  const { requests } = await writeRequests(entries, await mkdtemp(join(folder, 'older-')));
  const older = `${requests}.older`;
  await withDatabase('256MB', (connection) =>
    connection.run(
      `COPY (SELECT * EXCLUDE "armFailure" FROM read_parquet(${literal(requests)})) TO ${literal(older)} (FORMAT parquet)`,
    ),
  );
  return older;
}

it.each(['older first', 'newer first', 'older only'])('reads files of before arms could fail: %s', async (order) => {
  const older = entry('call 1', ['a']);
  const newer: RequestEntry = {
    raw: null,
    request: { ...entry('call 2', ['b']).request, arm: 'candidate', armFailure: { kind: 'late', cause: '2,000 ms' } },
  };
  const [old, { requests: recent }] = [
    await olderFile([older]),
    await writeRequests([newer], await mkdtemp(join(folder, 'newer-'))),
  ];
  const requests = order === 'older only' ? [old] : order === 'older first' ? [old, recent] : [recent, old];
  const all = order === 'older only' ? [older.request] : [older.request, newer.request];
  expect((await readRequests({ requests, raw: [] })).requests).toEqual(all);
  const [from, until] = ['2026-03-02T00:00:00.000Z', '2026-03-03T00:00:00.000Z'];
  const { release } = older.request;
  expect((await measureLatency({ requests, release, from, until })).answers).toBe(all.length);
  expect(await countAnswersOfOlderEpochs({ requests, epoch: 2, since: from })).toBe(all.length);
  const window = { from: new Date(from), until: new Date(until) };
  expect((await countAnswered({ requests, milliseconds: 1, ...window })).answered).toBe(all.length);
  const changed = await countChangedAnswers({ requests, release, epoch: 1, good: [], threshold: 0.5 });
  expect(changed.unknown).toBe(all.length);
  const answers = await measureAnswers({
    requests: requests.map((file) => ({ day: '2026-03-02', file })),
    labels: [],
    predictions: [],
    definition,
  });
  expect(answers.kind === 'measured' && answers.days.map(({ arm }) => arm)).toEqual(
    order === 'older only' ? ['champion'] : ['candidate', 'champion'],
  );
});
