import { beforeEach, describe, expect, it } from 'vitest';
import * as engine from '#adapters/duckdb/arm-counts.ts';
import { memoryArtifactStore } from '#adapters/memory/artifact-store.ts';
import { memoryRequestStore } from '#adapters/memory/request-log.ts';
import { CanaryMinutes } from '#domain/canary/minutes.ts';
import { FailedRequest, type LoggedRequest } from '#domain/prediction/request-log.ts';
import { readDocument } from '#ports/documents.ts';
import { answeredEvents, loggedRequest } from '#test/domain/prediction/_logged.ts';
import { MeasureCanary, measureCanary } from '#use-cases/canary/measure-canary.ts';

const NOW = new Date('2026-03-02T08:10:30.000Z');
const asked = { model: 'toy', from: '2026-03-02T07:58:00.000Z', sincePointerSeq: 2, objectiveMs: 100 };

describe('the minutes of a canary', () => {
  let requests: ReturnType<typeof memoryRequestStore>;
  let fetched: string[];
  const documents = memoryArtifactStore();
  beforeEach(() => {
    requests = memoryRequestStore();
    fetched = [];
  });
  const measure = async (given: Partial<typeof asked> = {}) => {
    const watched: typeof requests = {
      ...requests,
      fetch: (model, day, folder, since) => {
        fetched.push(day);
        return requests.fetch(model, day, folder, since);
      },
    };
    const task = measureCanary({ engine, requests: watched, documents, clock: { now: () => NOW } });
    const { minutes, ...rest } = MeasureCanary.output.parse(await task({ closeMinutes: 2, ...asked, ...given }));
    return { ...rest, document: await readDocument(documents, CanaryMinutes, minutes) };
  };
  const answer = (event: string, overrides: Partial<LoggedRequest> = {}) =>
    requests.add([
      {
        request: loggedRequest({
          request: `call ${event}`,
          pointerSeq: 2,
          startedAt: '2026-03-02T08:01:00.000Z',
          events: answeredEvents({ [event]: 0.5 }),
          ...overrides,
        }),
        raw: null,
      },
    ]);

  it('are closed ones, of requests by its pointer, of events of whatever day, answered or not', async () => {
    await answer('a', { arm: 'candidate', armFailure: { kind: 'failed', cause: 'x' } });
    await answer('b', { arm: 'control', milliseconds: 101 });
    await answer('of an old day', { day: '2019-01-01' });
    await answer('by the pointer before', { pointerSeq: 1 });
    await answer('before the start', { startedAt: '2026-03-02T07:57:59.999Z' });
    await answer('not closed', { startedAt: '2026-03-02T08:08:00.000Z' });
    await answer('of a day to come', { day: '2026-03-03' });
    await requests.addFailed([
      FailedRequest.parse({
        formatVersion: 1,
        request: 'call f',
        model: 'toy',
        arm: 'candidate',
        pointerSeq: 2,
        event: 'f',
        rule: 'champion-answers',
        startedAt: '2026-03-02T08:07:59.999Z',
      }),
    ]);
    const none = { requests: 0, errors: 0, slow: 0, late: 0 };
    const { document, until, requests: count } = await measure();
    expect({ until, count }).toEqual({ until: '2026-03-02T08:08:00.000Z', count: 4 });
    expect(document).toEqual({
      formatVersion: 1,
      model: 'toy',
      from: asked.from,
      until,
      minutes: [
        {
          minute: '2026-03-02T08:01:00.000Z',
          candidate: { requests: 1, errors: 1, slow: 0, late: 0 },
          control: { requests: 1, errors: 0, slow: 1, late: 0 },
          champion: { requests: 1, errors: 0, slow: 0, late: 0 },
        },
        {
          minute: '2026-03-02T08:07:00.000Z',
          candidate: { requests: 1, errors: 1, slow: 0, late: 0 },
          control: none,
          champion: none,
        },
      ],
    });
    expect(fetched).toEqual(['2019-01-01', '2026-03-02']);
  });

  it('are none where there were no requests, and before the first minute is closed', async () => {
    expect(await measure()).toMatchObject({ requests: 0, document: { minutes: [] } });
    await answer('a');
    expect(await measure({ from: '2026-03-02T08:10:00.000Z' })).toMatchObject({
      requests: 0,
      document: { minutes: [] },
    });
    expect(await measure({ from: '2026-03-02T08:00:00.000Z' })).toMatchObject({ requests: 1 });
  });

  it('are not said where the log cannot be read', async () => {
    requests.days = () => Promise.reject(new Error('unreachable'));
    await expect(measure()).rejects.toThrow('unreachable');
  });
});
