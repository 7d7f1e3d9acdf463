import { beforeEach, describe, expect, it } from 'vitest';
import * as engine from '#adapters/duckdb/request-figures.ts';
import { memoryRequestStore } from '#adapters/memory/request-log.ts';
import { type Digest, digestOf } from '#domain/canonical/digest.ts';
import { latencyBaseline } from '#domain/promotion/latency.ts';
import { advancePointer, confirmedReleases } from '#domain/promotion/pointer.ts';
import { rollBack, rollbackTarget } from '#domain/promotion/rollback.ts';
import { loggedRequest } from '#test/domain/prediction/_logged.ts';
import { NOW } from '#test/domain/promotion/_case.ts';
import { measureLatency } from '#use-cases/promotion/measure-latency.ts';
import { planLatency } from '#use-cases/promotion/plan-latency.ts';
import { readPointer } from '#read-model/pointer.ts';
import { promote } from './_machine.ts';
import { MODEL } from './_environments.ts';
import { scene } from './_scene.ts';

const CHAMPION = digestOf('champion');
const plan = {
  objectiveMs: 250,
  champion: CHAMPION,
  days: ['2026-03-01', '2026-03-02'],
  from: '2026-03-01T09:00:00.000Z',
  until: '2026-03-02T09:00:00.000Z',
};

describe('the latency that a release is compared with', () => {
  let requests: ReturnType<typeof memoryRequestStore>;
  beforeEach(() => {
    requests = memoryRequestStore();
  });
  const measure = (given: Partial<Record<keyof typeof plan, unknown>> = {}) =>
    measureLatency({ engine, requests })({ model: MODEL, plan: { ...plan, ...given } });
  /** Requests of a release, a millisecond longer each. */
  const answers = (count: number, release: Digest, startedAt = '2026-03-02T08:00:00.000Z', day = '2026-03-02') =>
    requests.add(
      Array.from({ length: count }, (_, index) => ({
        request: loggedRequest({
          request: `${release} ${startedAt} ${index}`,
          model: MODEL,
          release,
          startedAt,
          day,
          milliseconds: index + 1,
        }),
        raw: null,
      })),
    );

  it('is the p99 of what the outgoing champion answered within a day, of events of whatever day', async () => {
    await answers(600, CHAMPION);
    await answers(400, CHAMPION, '2026-03-01T22:00:00.000Z', '2026-03-01');
    // Another release's, and one of two days ago.
    await answers(500, digestOf('another'));
    await answers(500, CHAMPION, '2026-02-28T22:00:00.000Z', '2026-03-01');
    expect(await measure()).toMatchObject({ baseline: { source: 'champion', answers: 1000 }, reason: '' });
    const { baseline } = (await measure()) as { baseline: { p99: number } };
    expect(baseline.p99).toBeGreaterThan(585);
    expect(baseline.p99).toBeLessThanOrEqual(600);
  });

  it('counts a request once that two deliveries hold', async () => {
    await answers(999, CHAMPION);
    await answers(999, CHAMPION);
    expect(await measure()).toMatchObject({ baseline: { p99: 250, source: 'objective', answers: 999 } });
  });

  it('is the objective where nothing was served, or it cannot be read: nobody waits for a release because of it', async () => {
    expect(await measure({ champion: null, days: [] })).toEqual({
      baseline: { p99: 250, source: 'objective', answers: 0 },
      reason: '',
    });
    const broken = { ...requests, fetch: () => Promise.reject(new Error('5,001 files')) };
    expect(await measureLatency({ engine, requests: broken })({ model: MODEL, plan })).toEqual({
      baseline: { p99: 250, source: 'objective', answers: 0 },
      reason: 'Error: 5,001 files',
    });
  });

  it('is none where the release answers no requests', async () => {
    expect(await measure({ objectiveMs: null })).toEqual({ baseline: null, reason: '' });
  });

  it.each([
    [{ answers: 1000, p99: 0 }, 'objective'],
    [{ answers: 1000, p99: null }, 'objective'],
    [{ answers: 1000, p99: 0.5 }, 'champion'],
  ] as const)('of %j is the %s', (measured, source) => {
    expect(latencyBaseline(250, measured).source).toBe(source);
  });
});

it('plans nothing of a model that answers no requests, and the pointer has none', async () => {
  const here = await scene();
  await here.begin();
  const next = await here.candidate('next');
  await promote(here.prod, next.request, next.well);
  const pointer = await readPointer(here.prod.ledger, MODEL);
  expect(pointer?.latency).toBeNull();
  const named = { model: MODEL, promotion: String(pointer?.writtenBy) };
  expect(await planLatency(here.prod)(named)).toMatchObject({ objectiveMs: null, champion: null, days: [] });
});

it('comes back with the release that a rollback goes back to', () => {
  const begin = { model: MODEL, environment: 'prod', fencingToken: 1, writtenBy: 'p', at: NOW.toISOString() };
  const of = (p99: number) =>
    ({ until: null, pendingPropagation: null, latency: { p99, source: 'champion', answers: 5000 } }) as const;
  const first = advancePointer(undefined, { ...begin, current: digestOf('1'), version: '1.0.0' }, [], of(20));
  const second = advancePointer(
    first,
    { ...begin, current: digestOf('2'), version: '1.0.1' },
    confirmedReleases(first),
    of(30),
  );
  expect(second.latency?.p99).toBe(30);
  const target = rollbackTarget(second, () => false);
  if (target.kind === 'refuse') throw new Error(target.refusal.found);
  const { pointer } = rollBack(second, target, { id: 'r', actor: 'person:op', reason: 'slow', now: NOW });
  expect(pointer).toMatchObject({ current: digestOf('1'), latency: { p99: 20 } });
});
