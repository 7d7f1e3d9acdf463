import { expect, it } from 'vitest';
import { memoryRequestStore } from '#adapters/memory/request-log.ts';
import type { FailedEntry, RequestEntry } from '#domain/prediction/request-log.ts';
import { failedRequest, loggedRequest } from '#test/domain/prediction/_logged.ts';
import { storeRequests } from '#use-cases/requests/store-requests.ts';

const entry = (request: string): RequestEntry => ({ request: loggedRequest({ request }), raw: null });

/** A log whose lines say what they are. */
function log() {
  const store = memoryRequestStore();
  const readLine = async (line: string): Promise<RequestEntry | FailedEntry | undefined> => {
    if (line === 'damaged') throw new Error('the line is damaged');
    if (line.startsWith('failed')) return { failed: failedRequest({ request: line }) };
    return line.startsWith('call') ? entry(line) : undefined;
  };
  const deliver = (...lines: readonly string[]) =>
    storeRequests(
      { store, readLine },
      lines.map((message, index) => ({ id: String(index), message })),
    );
  const stored = async () => (await store.read('toy', '2026-03-02')).requests.map(({ request }) => request);
  return { store, deliver, stored };
}

it('brings the requests of a delivery to the lake, once however often it comes', async () => {
  const { deliver, stored } = log();
  expect(await deliver('call 1', 'START', 'call 2')).toEqual({ stored: 2, failed: 0, others: 1 });
  await deliver('call 1', 'START', 'call 2');
  await deliver('call 2');
  expect(await stored()).toEqual(['call 1', 'call 2']);
  expect(await deliver('START')).toEqual({ stored: 0, failed: 0, others: 1 });
});

it('keeps all that can be read beside a damaged line, and fails with its name, so that it is not lost', async () => {
  const { deliver, stored } = log();
  await expect(deliver('call 1', 'damaged', 'call 2')).rejects.toMatchObject({
    code: 'ITEMS_FAILED',
    message: expect.stringContaining('log event 1: the line is damaged'),
  });
  expect(await stored()).toEqual(['call 1', 'call 2']);
});

it('brings requests that nobody answered to the lake, also where answered ones cannot be stored', async () => {
  const { store, deliver } = log();
  expect(await deliver('call 1', 'failed 1', 'failed 2', 'START')).toEqual({ stored: 1, failed: 2, others: 1 });
  await deliver('failed 2');
  const requests = () => [...store.failed.values()].map(({ request }) => request);
  expect(requests()).toEqual(['failed 1', 'failed 2']);
  store.add = () => Promise.reject(new Error('full'));
  await expect(deliver('call 2', 'failed 3')).rejects.toMatchObject({
    code: 'ITEMS_FAILED',
    message: expect.stringContaining('answered requests: full'),
  });
  expect(requests()).toContain('failed 3');
});
