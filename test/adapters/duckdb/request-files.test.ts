import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readRequests, writeRequests } from '#adapters/duckdb/request-files.ts';
import { digestOf } from '#domain/canonical/digest.ts';
import { digestOfRows, rowsJson } from '#domain/data/event-json.ts';
import type { RequestEntry } from '#domain/prediction/request-log.ts';
import { loggedRequest } from '#test/domain/prediction/_logged.ts';

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
