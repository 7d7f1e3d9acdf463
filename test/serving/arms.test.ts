// While the traffic is divided, each request is answered by its arm, and the champion is as near as before.
import { beforeEach, describe, expect, it } from 'vitest';
import { digestOfRows } from '#domain/data/event-json.ts';
import { FAULTS_TO_OPEN } from '#serving/circuits.ts';
import { MODEL } from '#test/use-cases/_environments.ts';
import { divided, type Divided, HOUR } from './_arms.ts';
import { inputs } from './_endpoint.ts';

let here: Divided;
beforeEach(async () => {
  here = await divided();
});

describe('a request for predictions', () => {
  it('is answered by the arm of its first event, and logged of it', async () => {
    const context = [{ id: 'c1' }];
    const id = here.idFor('candidate');
    const { status, json, probabilities, entry } = await here.infer(inputs([{ id }, { id: 'e2' }], context), {
      id: 'r1',
    });
    expect([status, probabilities]).toEqual([200, [0.2, 0.2]]);
    expect(json).toMatchObject({ model_version: '0.2.0', id: 'r1' });
    expect(json.parameters).toEqual({
      model: MODEL,
      version: '0.2.0',
      digest: here.candidate,
      arm: 'candidate',
      pointer_seq: 2,
      epoch: 1,
      aggregates: here.list,
      aggregates_until: '2026-03-01',
      context_digest: digestOfRows(entry?.raw?.context ?? []),
    });
    expect(entry?.request).toMatchObject({
      request: 'call 1',
      arm: 'candidate',
      armFailure: null,
      release: here.candidate,
      version: '0.2.0',
      epoch: 1,
      pointerSeq: 2,
      events: [{ id, digest: digestOfRows(entry?.raw?.events[0] ?? {}), probability: 0.2 }, { id: 'e2' }],
    });
    expect(entry?.raw).toMatchObject({ events: [{ id }, { id: 'e2' }], context: [{ id: 'c1' }] });
    expect(here.asked).toEqual(['candidate']);
  });

  it('of the control arm is answered by the champion’s release in a function of its own', async () => {
    const { json, probabilities, entry } = await here.ask('control');
    expect(probabilities).toEqual([0.1]);
    expect(json.parameters).toMatchObject({ digest: here.first, version: '0.1.1', arm: 'control' });
    expect(entry?.request).toMatchObject({ arm: 'control', release: here.first });
    expect(here.asked).toEqual(['control']);
  });

  it('of the champion calls nobody', async () => {
    const { json, entry } = await here.ask('champion');
    expect(json.parameters).toMatchObject({ digest: here.first, arm: 'champion' });
    expect(json.parameters).not.toHaveProperty('fallback_from');
    expect(entry?.request).toMatchObject({ arm: 'champion', armFailure: null });
    expect(here.asked).toEqual([]);
  });

  it('gets the same arm however often it is tried, whatever else it holds, and another one by another salt', async () => {
    const ids = Array.from({ length: 40 }, (_, index) => `event-${index}`);
    const arms = async () => {
      const found: unknown[] = [];
      for (const id of ids) found.push((await here.infer(inputs([{ id, price: 0.5 }]))).json.parameters?.['arm']);
      return found;
    };
    const first = await arms();
    expect(new Set(first)).toEqual(new Set(['champion', 'candidate', 'control']));
    here.clock.at += HOUR / 2;
    expect(await arms()).toEqual(first);
    const again = await divided({ salt: 'another' });
    expect((await again.infer(inputs([{ id: ids[0] }]))).status).toBe(200);
    here = again;
    expect(await arms()).not.toEqual(first);
  });

  it('gets the arm of its entity where the plan says so, and of its event where it has none', async () => {
    here = await divided({ assignment: 'entity' });
    const who = here.idFor('candidate');
    const arm = async (event: object) => (await here.infer(inputs([event as never]))).json.parameters?.['arm'];
    for (const id of ['x', 'y', 'z']) expect(await arm({ id, who })).toBe('candidate');
    expect(await arm({ id: who, who: here.idFor('control') })).toBe('control');
    expect(await arm({ id: who, who: null })).toBe('candidate');
  });

  it('that names the version is answered by the champion: it is the only one that is served', async () => {
    const path = (version: string) => `/v2/models/${MODEL}/versions/${version}/infer`;
    const body = { inputs: inputs([{ id: here.idFor('candidate') }]) };
    expect(await here.send('POST', path('0.1.1'), body)).toMatchObject({
      status: 200,
      json: { parameters: { arm: 'champion', digest: here.first } },
    });
    expect(await here.send('POST', path('0.2.0'), body)).toMatchObject({ status: 404 });
    expect(here.asked).toEqual([]);
  });

  it('is measured of its arm', async () => {
    await here.ask('candidate');
    expect(here.measured()).toEqual([
      { environment: 'prod', model: MODEL, arm: 'candidate' },
      { Requests: 1, Errors: 0, DependencyUnavailable: 0, Latency: 0 },
    ]);
    await here.ask('champion');
    expect(here.measured()?.[0]).toMatchObject({ arm: 'champion' });
  });
});

it('golden requests, health checks and metadata are the champion’s', async () => {
  await here.infer([], { parameters: { golden: true } });
  for (const path of ['/v2/health/ready', `/v2/models/${MODEL}`, `/v2/models/${MODEL}/ready`])
    expect((await here.send('GET', path)).status).toBe(200);
  expect(here.asked).toEqual([]);
});

it('a plan whose time has passed divides nothing, though the pointer still says so', async () => {
  expect((await here.ask('candidate')).json.parameters).toMatchObject({ arm: 'candidate' });
  here.clock.at = Date.parse(here.plan.until) - 1;
  expect((await here.ask('candidate')).json.parameters).toMatchObject({ arm: 'candidate' });
  here.clock.at += 1;
  const { json, probabilities, entry } = await here.ask('candidate');
  expect([json.parameters?.['arm'], probabilities]).toEqual(['champion', [0.1]]);
  expect(entry?.request).toMatchObject({ arm: 'champion', armFailure: null });
  expect(here.asked).toHaveLength(2);
});

describe('after a failed promotion the way back is no outage', () => {
  it.each<readonly [what: string, end: () => Promise<void>, later: number]>([
    ['the plan is taken out of the pointer', () => here.divide(undefined), 6_000],
    ['its time passes', async () => undefined, HOUR],
  ])('%s: the champion has stayed loaded, and answers', async (_, end, later) => {
    await here.ask('champion');
    await here.ask('candidate');
    const [loads, engines] = [here.models.opened.length, here.features.opened.length];
    await end();
    here.clock.at += later;
    const { status, json, probabilities } = await here.ask('candidate');
    expect([status, json.parameters?.['arm'], probabilities]).toEqual([200, 'champion', [0.1]]);
    expect([here.models.opened.length, here.features.opened.length]).toEqual([loads, engines]);
  });
});

describe('a blue-green plan', () => {
  beforeEach(async () => {
    here = await divided({ kind: 'blue-green' });
  });

  it('has its candidate loaded beside the champion, divides nothing, and switches there and back without a load', async () => {
    expect((await here.ask('candidate')).json.parameters).toMatchObject({ arm: 'champion', digest: here.first });
    expect(here.models.opened.toSorted()).toEqual(['release 100', 'release 200']);
    const engines = here.features.opened.length;
    await here.promote(here.candidate, '0.2.0');
    here.clock.at += 6_000;
    expect((await here.infer()).probabilities).toEqual([0.2]);
    await here.rollBack();
    here.clock.at += 6_000;
    expect((await here.infer()).probabilities).toEqual([0.1]);
    expect([here.models.opened.length, here.features.opened.length]).toEqual([2, engines]);
    expect(here.asked).toEqual([]);
  });

  it('lets go of the candidate when it ends', async () => {
    await here.infer();
    expect(here.models.open).toBe(2);
    await here.divide(undefined);
    here.clock.at += 6_000;
    await here.infer();
    expect(here.models.open).toBe(1);
  });

  it('whose candidate does not load leaves the champion alone', async () => {
    const candidate = await here.release('broken');
    await here.divide({ ...here.plan, candidate });
    for (let time = 0; time < 2; time += 1) {
      here.clock.at += 6_000;
      const { status, probabilities } = await here.infer();
      expect([status, probabilities]).toEqual([200, [0.1]]);
      expect((await here.send('GET', '/v2/health/ready')).status).toBe(200);
    }
    // What cannot load by itself is not loaded again and again.
    expect(here.models.opened.toSorted()).toEqual(['broken', 'release 100']);
  });

  it('whose candidate cannot be read opens no circuit of the champion, and none of a rollback’s', async () => {
    await here.promote(await here.release('release 300'));
    const candidate = await here.release('release 400');
    await here.divide({ ...here.plan, candidate });
    const read = here.prod.releases.read.bind(here.prod.releases);
    let tried = 0;
    here.prod.releases.read = (digest) => {
      if (digest !== candidate) return read(digest);
      tried += 1;
      return Promise.reject(Object.assign(new Error('slow down'), { $fault: 'server' }));
    };
    for (let time = 0; time < 2 * FAULTS_TO_OPEN; time += 1) {
      here.clock.at += 6_000;
      expect((await here.infer()).status).toBe(200);
    }
    expect(tried).toBeGreaterThanOrEqual(FAULTS_TO_OPEN);
    expect((await here.send('GET', '/v2/health/ready')).json['circuits']).toMatchObject({ artifacts: 'closed' });
    await here.rollBack();
    here.clock.at += 6_000;
    expect((await here.infer()).probabilities).toEqual([0.1]);
  });
});
