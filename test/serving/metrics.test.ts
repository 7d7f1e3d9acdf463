// What an endpoint and its probe say for the alarms.
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { memoryMetrics } from '#adapters/memory/metrics.ts';
import { keys } from '#domain/ledger/keys.ts';
import { policyDigest } from '#domain/model/deployed.ts';
import { readPointer } from '#read-model/pointer.ts';
import { SERVING } from '#test/domain/alarm/_serving.ts';
import { MODEL, policy } from '#test/use-cases/_environments.ts';
import { withGoldenRequest } from '#test/use-cases/_releases.ts';
import { probe } from '#use-cases/alarm/probe-endpoint.ts';
import { probeEndpoints } from '#use-cases/alarm/probe-endpoints.ts';
import { endpoint, inputs, serving } from './_endpoint.ts';

const DIMENSIONS = { environment: 'prod', model: MODEL, arm: 'champion' };

describe('an endpoint', () => {
  let here: Awaited<ReturnType<typeof serving>>;
  beforeEach(async () => {
    here = await serving();
  });
  const said = () => here.metrics.emitted.at(-1);

  it('says of each request that it was answered, and how long that took', async () => {
    here.during.predict = async () => void (here.clock.at += 40);
    await here.infer();
    expect(said()).toEqual([DIMENSIONS, { Requests: 1, Errors: 0, DependencyUnavailable: 0, Latency: 40 }]);
  });

  it('counts from when the call reached the API, unless that is the time of another clock', async () => {
    const receivedAt = new Date(here.clock.at - 900);
    const infer = (at: Date) =>
      here.core.handle({
        id: 'call',
        method: 'POST',
        path: `/v2/models/${MODEL}/infer`,
        headers: {},
        receivedAt: at,
        body: Buffer.from(JSON.stringify({ inputs: inputs() })),
      });
    await infer(receivedAt);
    expect(said()?.[1]).toMatchObject({ Latency: 900 });
    expect(here.log.entries.at(-1)?.request).toMatchObject({ milliseconds: 900, startedAt: receivedAt.toISOString() });
    for (const strange of [here.clock.at + 5000, here.clock.at - 3_600_000, Number.NaN]) {
      await infer(new Date(strange));
      expect(said()?.[1]).toMatchObject({ Latency: 0 });
    }
  });

  it('calls slow what is above the factor in force of the baseline that the pointer has', async () => {
    const rules = { ...policy, serving: SERVING };
    const active = { formatVersion: 1, policy: policyDigest(rules), activation: 1, rules };
    await here.prod.ledger.transact([{ kind: 'put', item: { ...keys.policy(MODEL), ...active } }], 'policy');
    const pointer = await readPointer(here.prod.ledger, MODEL);
    const latency = { p99: 20, source: 'champion', answers: 5000 };
    await here.prod.ledger.transact(
      [{ kind: 'put', item: { ...keys.pointer(MODEL), ...pointer, latency } }],
      'latency',
    );
    // Who waits for a load waits as long by any release.
    await here.infer();
    expect(said()?.[1]).not.toHaveProperty('SlowAnswers');
    let milliseconds = 40;
    here.during.predict = async () => void (here.clock.at += milliseconds);
    await here.infer();
    expect(said()?.[1]).toMatchObject({ Latency: 40, SlowAnswers: 0 });
    milliseconds = 41;
    await here.infer();
    expect(said()?.[1]).toMatchObject({ Latency: 41, SlowAnswers: 1 });
  });

  it('says that the release fails where it does', async () => {
    here.during.predict = () => Promise.reject(new Error('a node of the graph'));
    expect((await here.infer()).status).toBe(500);
    expect(said()).toEqual([DIMENSIONS, { Requests: 1, Errors: 1, DependencyUnavailable: 0 }]);
  });

  it.each([
    ['a log that cannot be written', 503, () => (here.log.write = () => Promise.reject(new Error('full')))],
    [
      'a service that fails within an answer',
      503,
      () =>
        (here.during.predict = () =>
          Promise.reject(Object.assign(new Error('slow down'), { $fault: 'server', $metadata: {} }))),
    ],
    [
      'a ledger that cannot be read',
      503,
      () => {
        here.clock.at += 60_000;
        here.during.read = () => Promise.reject(new Error('unreachable'));
      },
    ],
  ] as const)('says that it is something beside the release: %s', async (_, status, fail) => {
    await here.infer();
    fail();
    expect((await here.infer()).status).toBe(status);
    expect(said()?.[1]).toMatchObject({ Errors: 0, DependencyUnavailable: 1 });
  });

  it('says it of health checks as well, whose answers AWS counts', async () => {
    here.clock.at += 60_000;
    here.during.read = () => Promise.reject(new Error('unreachable'));
    const before = here.metrics.emitted.length;
    expect((await here.send('GET', '/v2/health/ready')).status).toBe(503);
    expect(here.metrics.emitted.slice(before)).toEqual([[DIMENSIONS, { DependencyUnavailable: 1 }]]);
  });

  it('answers although it cannot read the policy, and calls nothing slow then', async () => {
    const strange = { formatVersion: 1, policy: 'of another version' };
    await here.prod.ledger.transact([{ kind: 'put', item: { ...keys.policy(MODEL), ...strange } }], 'policy');
    expect((await here.infer()).status).toBe(200);
    here.clock.at += 60_000;
    expect((await here.infer()).status).toBe(200);
    expect(said()?.[1]).not.toHaveProperty('SlowAnswers');
  });

  it('says that the list of aggregates is why, where it cannot be read: an older release needs it as well', async () => {
    await here.infer();
    vi.spyOn(here.serving.aggregates, 'read').mockRejectedValue(new Error('not a list'));
    here.clock.at += 60_000;
    const { status, json } = await here.infer();
    expect([status, json.error?.slice(0, 16)]).toEqual([503, 'aggregates-load:']);
    expect(said()?.[1]).toMatchObject({ Errors: 0, DependencyUnavailable: 1 });
  });

  it('says nothing of what is no request for predictions, and counts one that is refused as no failure', async () => {
    const before = here.metrics.emitted.length;
    await here.send('GET', '/v2/health/ready');
    expect(here.metrics.emitted).toHaveLength(before);
    await here.send('POST', `/v2/models/${MODEL}/infer`, { inputs: [] });
    expect(said()?.[1]).toEqual({ Requests: 1, Errors: 0, DependencyUnavailable: 0 });
  });

  it('names what keeps the files of a release from being read, which another release would meet as well', async () => {
    const other = await endpoint();
    await other.promote(await other.release('release 100'));
    const reading = vi.spyOn(other.prod.releases, 'read');
    reading.mockRejectedValue(Object.assign(new Error('503'), { $fault: 'server' }));
    expect((await other.infer()).json.error).toMatch(/^release-read: /);
    reading.mockRestore();
    await other.promote(await other.release('broken'));
    other.clock.at += 60_000;
    expect((await other.infer()).json.error).toMatch(/^champion-loads: /);
  });
});

describe('a probe', () => {
  const EVENT = { id: 'e1', who: 'ann', at: '2001-01-14T08:00:00.000Z', seat: '7', price: 0.5 };
  const GOLDEN = {
    formatVersion: 1 as const,
    day: '2001-01-14',
    events: [EVENT],
    context: [],
    probabilities: [0.1],
  };
  let here: Awaited<ReturnType<typeof endpoint>>;
  let metrics: ReturnType<typeof memoryMetrics>;
  beforeEach(async () => {
    here = await endpoint();
    metrics = memoryMetrics();
  });
  const deps = () => ({
    ...here.prod,
    metrics,
    endpoints: {
      models: [MODEL],
      async post(_: string, path: string, body: object) {
        const { status, body: text } = await here.send('POST', path, body);
        return { status, text };
      },
    },
  });
  const probed = () => probe(deps(), MODEL);
  /** Promotes a release that promises something. */
  async function promoted(golden = GOLDEN) {
    const release = await withGoldenRequest(here.prod.releases, await here.release('release 100'), golden, []);
    await here.promote(release);
    return release;
  }
  /** What the scheduled probe emits. */
  async function emitted() {
    await probeEndpoints(deps())({});
    return metrics.emitted.at(-1)?.[1];
  }

  it('is answered by the release that the pointer names', async () => {
    const release = await promoted();
    expect(await probed()).toMatchObject({ status: 'answered', release, epoch: 1 });
    expect(await emitted()).toEqual({ Probes: 1, ProbeFailed: 0 });
    // It is no prediction: neither logged nor counted.
    expect(here.log.entries).toEqual([]);
    expect(here.metrics.emitted).toEqual([]);
  });

  it('fails where the value is not what the release promised', async () => {
    await promoted({ ...GOLDEN, probabilities: [0.2] });
    expect(await probed()).toMatchObject({ status: 'failed', found: 'event 0 gives 0.1, promised 0.2' });
    expect(await emitted()).toEqual({ Probes: 1, ProbeFailed: 1 });
  });

  it('fails where another release answers long after a switch, and not while the endpoint may still learn of it', async () => {
    const first = await promoted();
    await probed();
    await here.promote(await here.release('release 200'), '0.1.2');
    // The endpoint read the pointer a moment ago.
    expect(await probed()).toMatchObject({ status: 'answered', release: first });
    const frozen = await readPointer(here.prod.ledger, MODEL);
    const { models } = deps().endpoints;
    const stuck = {
      models,
      post: async () => ({
        status: 200,
        text: JSON.stringify({
          parameters: { digest: first, epoch: 1, golden: true },
          outputs: [{ name: 'probability', data: [0.1] }],
        }),
      }),
    };
    here.clock.at += 36_000;
    expect(await probe({ ...deps(), endpoints: stuck }, MODEL)).toMatchObject({
      status: 'failed',
      found: `${first} answers, the pointer names ${frozen?.current ?? ''}`,
    });
  });

  it.each([
    ['a call that is not answered', () => Promise.reject(new Error('connect ECONNREFUSED'))],
    ['a throttle', async () => ({ status: 429, text: '{"message":"Too Many Requests"}' })],
  ] as const)('knows nothing after %s: the metric is missing, and that pages', async (_, post) => {
    await promoted();
    const unreachable = { ...deps(), endpoints: { models: [MODEL], post } };
    expect(await probe(unreachable, MODEL)).toMatchObject({ status: 'unavailable' });
    await probeEndpoints(unreachable)({});
    expect(metrics.emitted).toEqual([]);
  });

  it('fails where the function crashes', async () => {
    await promoted();
    const post = async () => ({ status: 500, text: '{"message":"Internal Server Error"}' });
    expect(await probe({ ...deps(), endpoints: { models: [MODEL], post } }, MODEL)).toMatchObject({ status: 'failed' });
  });

  it('knows nothing where the store fails behind a release that is loaded: another release would meet it as well', async () => {
    await promoted();
    expect(await probed()).toMatchObject({ status: 'answered' });
    vi.spyOn(here.prod.releases, 'read').mockRejectedValue(Object.assign(new Error('SlowDown'), { $fault: 'server' }));
    expect(await probed()).toMatchObject({ status: 'unavailable', found: expect.stringContaining('release-read') });
  });

  it('has nothing to find before anything is promoted, and of a model that answers no requests', async () => {
    expect(await probed()).toMatchObject({ status: 'none' });
    expect(await emitted()).toEqual({ Probes: 1 });
    expect(await probe(deps(), 'another')).toMatchObject({ status: 'none' });
  });
});
