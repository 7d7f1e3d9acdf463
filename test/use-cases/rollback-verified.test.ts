import { beforeEach, describe, expect, it } from 'vitest';
import * as engine from '#adapters/duckdb/request-figures.ts';
import { memoryRequestStore } from '#adapters/memory/request-log.ts';
import type { Probe } from '#domain/alarm/probe.ts';
import { digestOf } from '#domain/canonical/digest.ts';
import { loggedRequest } from '#test/domain/prediction/_logged.ts';
import { online } from '#test/serving/_endpoint.ts';
import { checkRequestLog } from '#use-cases/rollback/check-request-log.ts';
import { judgeProbes } from '#use-cases/rollback/judge-probes.ts';
import { verifyRollback } from '#use-cases/rollback/verify-rollback.ts';
import { bytes, type Environment, MODEL, SQL, world } from './_environments.ts';
import { makeRelease } from './_releases.ts';

const AT = '2026-03-02T09:00:00.000Z';
const CONTENTS = { definition: online, sql: SQL, onnx: bytes('MODEL') };

let prod: Environment;
let clock: ReturnType<typeof world>['clock'];
let target: { release: string; from: string; epoch: number; at: string };
beforeEach(async () => {
  const all = world();
  ({ clock } = all);
  clock.at = Date.parse(AT);
  prod = all.environment('prod');
  const release = await makeRelease(prod.releases, 'good', 'trained', CONTENTS);
  const from = await makeRelease(prod.releases, 'bad', 'trained', CONTENTS);
  target = { release, from, epoch: 3, at: AT };
});

describe('two probes after a rollback', () => {
  const good = (): Probe => ({ status: 'answered', release: target.release as never, epoch: 3, at: AT });
  const old = (): Probe => ({ status: 'answered', release: target.from as never, epoch: 2, at: AT });
  const judge = (probe: Probe, again: Probe) => judgeProbes(prod)({ target, probe, again });

  it('answer by the release that it went back to', async () => {
    expect(await judge(good(), good())).toMatchObject({
      status: 'answers',
      // The endpoint reads the pointer again after five seconds.
      since: '2026-03-02T09:00:05.000Z',
      days: ['2026-03-01', '2026-03-02'],
    });
  });

  it.each([
    ['the first is old', () => [old(), good()]],
    ['the second is old', () => [good(), old()]],
    ['one failed', () => [good(), { status: 'failed', found: '500', at: AT }]],
  ] as const)('are looked for again for five minutes where %s, and then it is partial', async (_, probes) => {
    const [probe, again] = probes() as [Probe, Probe];
    expect(await judge(probe, again)).toMatchObject({ status: 'pending' });
    clock.at += 5 * 60_000;
    expect(await judge(probe, again)).toMatchObject({ status: 'partial', found: expect.stringMatching(/epoch 2|500/) });
  });

  it('say nothing where they could not be sent', async () => {
    clock.at += 5 * 60_000;
    const nothing: Probe = { status: 'unavailable', found: 'forbidden', at: AT };
    expect(await judge(nothing, nothing)).toMatchObject({ status: 'unable' });
  });

  it('are fine where the champion has changed once more since', async () => {
    const later: Probe = { ...good(), epoch: 4, release: digestOf('later') } as Probe;
    expect(await judge(later, later)).toMatchObject({ status: 'answers' });
  });

  it('are judged although the release that was rolled back cannot be read any more', async () => {
    prod.releases.objects.delete(target.from as never);
    expect(await judge(good(), good())).toMatchObject({ status: 'answers', since: '2026-03-02T09:05:00.000Z' });
    prod.releases.objects.delete(target.release as never);
    expect(await judge(good(), good())).toMatchObject({ status: 'unable', days: [] });
  });
});

describe('the request log after a rollback', () => {
  const answer = (request: string, epoch: number, startedAt: string, day = '2026-03-02') => ({
    request: loggedRequest({ request, model: MODEL, epoch, startedAt, day }),
    raw: null,
  });
  const probes = { since: '2026-03-02T09:00:05.000Z', days: ['2026-03-01', '2026-03-02'] };

  it('is read when it is whole past a minute after the switch', async () => {
    const check = checkRequestLog({ engine, requests: memoryRequestStore(), clock });
    clock.at += 3 * 60_000 - 1;
    expect(await check({ model: MODEL, target, probes })).toEqual({ status: 'open', stale: 0, reason: '' });
    clock.at += 1;
    expect(await check({ model: MODEL, target, probes })).toEqual({ status: 'checked', stale: 0, reason: '' });
  });

  it('is unread where the lake cannot be: the verification says so', async () => {
    clock.at += 10 * 60_000;
    const requests = { ...memoryRequestStore(), fetch: () => Promise.reject(new Error('unreachable')) };
    const check = checkRequestLog({ engine, requests, clock });
    expect(await check({ model: MODEL, target, probes })).toEqual({
      status: 'unread',
      stale: 0,
      reason: 'Error: unreachable',
    });
  });

  it('has no answer of an older epoch that began when the switch had to be known', async () => {
    const requests = memoryRequestStore();
    await requests.add([
      answer('before', 2, '2026-03-02T08:59:59.000Z'),
      answer('within', 2, '2026-03-02T09:00:05.000Z'),
      answer('new', 3, '2026-03-02T09:00:30.000Z'),
    ]);
    clock.at += 10 * 60_000;
    const check = checkRequestLog({ engine, requests, clock });
    expect(await check({ model: MODEL, target, probes })).toEqual({ status: 'checked', stale: 0, reason: '' });
    await requests.add([answer('stale', 2, '2026-03-02T09:00:05.001Z', '2026-03-01')]);
    expect(await check({ model: MODEL, target, probes })).toEqual({ status: 'checked', stale: 1, reason: '' });
  });
});

describe('the verdict', () => {
  const verify = (overrides: object = {}) =>
    verifyRollback(prod)({
      model: MODEL,
      rollback: 'r-1',
      target,
      probes: { status: 'answers', found: 'two probes were answered by the release' },
      log: { status: 'checked', stale: 0, reason: '' },
      ...overrides,
    });

  it.each([
    ['COMPLETE', {}],
    ['COMPLETE', { probes: { status: 'none', found: 'the model answers no requests' } }],
    ['PARTIAL', { probes: { status: 'partial', found: 'the old one answers' } }],
    ['PARTIAL', { log: { status: 'checked', stale: 2, reason: '' } }],
    ['UNABLE', { log: { status: 'unread', stale: 0, reason: '' } }],
    ['UNABLE', { probes: { status: 'unable', found: 'forbidden' } }],
    ['PARTIAL', { probes: { status: 'unable', found: 'forbidden' }, log: { status: 'checked', stale: 2, reason: '' } }],
  ])('is %s, recorded once', async (result, overrides) => {
    expect(await verify(overrides)).toMatchObject({ status: result });
    await verify(overrides);
    expect(await prod.chain()).toMatchObject([{ code: 'ROLLBACK_VERIFIED', details: { rollback: 'r-1', result } }]);
  });
});
