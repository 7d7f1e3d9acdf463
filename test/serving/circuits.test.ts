import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { GatehouseError } from '#domain/error.ts';
import { FAULTS_TO_OPEN, OPEN_MS } from '#serving/circuits.ts';
import { readPointer } from '#read-model/pointer.ts';
import { MODEL } from '#test/use-cases/_environments.ts';
import { serving } from './_endpoint.ts';

const throttled = () => Object.assign(new Error('slow down'), { $fault: 'server', $metadata: {} });

let here: Awaited<ReturnType<typeof serving>>;
beforeEach(async () => {
  here = await serving();
  vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'], now: here.clock.at });
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** Time goes on, for the endpoint and for its circuits. */
const pass = (milliseconds: number): void => {
  here.clock.at += milliseconds;
  vi.setSystemTime(Date.now() + milliseconds);
};
const circuits = async () => (await here.send('GET', '/v2/health/ready')).json['circuits'];
const said = () => here.metrics.emitted.at(-1)?.[1];

/** Lets every reading of the ledger fail, or never end. */
const down = (how: () => Promise<never> = () => Promise.reject(throttled())) =>
  vi.spyOn(here.serving.ledger, 'get').mockImplementation(how);
/** Sends requests until the circuit of the ledger is open: each reads the pointer and the policy. */
async function open(): Promise<void> {
  for (let faults = 0; faults < FAULTS_TO_OPEN; faults += 2) {
    const { status, json } = await here.infer();
    expect([status, json.error]).toEqual([503, 'pointer-read: slow down; try again']);
  }
}

describe('the circuit of the ledger', () => {
  it('opens after some faults in a row: nothing is read any more, and the rule is that of what cannot be read', async () => {
    expect(await circuits()).toEqual({ ledger: 'closed', artifacts: 'closed', aggregates: 'closed', lake: 'closed' });
    pass(6_000);
    const get = down();
    await open();
    const reads = get.mock.calls.length;
    const { status, json } = await here.infer();
    expect(status).toBe(503);
    expect(json.error).toMatch(
      /^pointer-read: DEPENDENCY_OPEN: the circuit of ledger is open after 5 faults in a row; .*; try again$/,
    );
    expect(get.mock.calls.length).toBe(reads);
    expect(said()).toMatchObject({ Errors: 0, DependencyUnavailable: 1 });
    const ready = await here.send('GET', `/v2/models/${MODEL}/ready`);
    expect(ready).toMatchObject({
      status: 503,
      json: { name: MODEL, ready: false, error: expect.stringMatching(/^pointer-read/), circuits: { ledger: 'open' } },
    });
    expect(await circuits()).toMatchObject({ ledger: 'open', lake: 'closed' });
  });

  it('lets what is loaded answer for as long as its reading is good, and no longer', async () => {
    expect((await here.infer()).status).toBe(200);
    down();
    pass(4_000);
    expect((await here.infer()).status).toBe(200);
    pass(2_000);
    await open();
    expect((await here.infer()).status).toBe(503);
  });

  it('tries one look-up when it has been open for a while, by the clock of the request that comes then', async () => {
    pass(6_000);
    const get = down();
    await open();
    const reads = get.mock.calls.length;
    pass(OPEN_MS - 1);
    await here.infer();
    expect(get.mock.calls.length).toBe(reads);
    // Still failing: one look-up, and it is open again.
    pass(1);
    await Promise.all([here.infer(), here.infer(), here.infer()]);
    expect((await here.infer()).status).toBe(503);
    expect(get.mock.calls.length).toBe(reads + 1);
    get.mockRestore();
    pass(OPEN_MS);
    expect((await here.infer()).status).toBe(200);
    expect(await circuits()).toMatchObject({ ledger: 'closed' });
  });

  it('stays closed where faults are not in a row', async () => {
    for (let round = 0; round < 2 * FAULTS_TO_OPEN; round += 1) {
      pass(6_000);
      const get = down();
      expect((await here.infer()).json.error).toBe('pointer-read: slow down; try again');
      get.mockRestore();
      expect((await here.infer()).status).toBe(200);
    }
  });

  it('counts a look-up that hangs, which takes its own time and no more', async () => {
    await here.infer();
    pass(6_000);
    down(() => new Promise(() => {}));
    for (let faults = 0; faults < FAULTS_TO_OPEN; faults += 2) {
      const answer = here.infer();
      await vi.advanceTimersByTimeAsync(6_000);
      const { status, json } = await answer;
      const found = 'pointer-read: DEPENDENCY_SILENT: ledger did not answer in 6 s; try again';
      expect([status, json.error]).toEqual([503, found]);
    }
    expect((await here.infer()).json.error).toMatch(/DEPENDENCY_OPEN/);
    // Nothing is left that would go off between two requests.
    expect(vi.getTimerCount()).toBe(0);
  });
});

it('what a store answers is no fault of it: a damaged artifact opens nothing, and ends a row of faults', async () => {
  const read = vi.spyOn(here.prod.releases, 'read');
  const damaged = new GatehouseError('ARTIFACT_TAMPERED', 'other bytes', {});
  for (let time = 0; time < 2 * FAULTS_TO_OPEN; time += 1) {
    pass(6_000);
    read.mockRejectedValueOnce(time % 2 === 0 ? damaged : throttled());
    const { status, json } = await here.infer();
    expect([status, json.error]).toEqual([
      503,
      expect.stringMatching(time % 2 === 0 ? /^champion-loads/ : /^release-read/),
    ]);
  }
  pass(6_000);
  expect((await here.infer()).status).toBe(200);
});

it('the circuit of the lake keeps files of aggregates from being fetched, by the rule of aggregates', async () => {
  here.prod.lake.fetch = () => Promise.reject(throttled());
  const answers = [];
  for (let time = 0; time < FAULTS_TO_OPEN + 1; time += 1) answers.push(await here.infer());
  expect(answers.at(-1)).toMatchObject({
    status: 503,
    json: { error: expect.stringMatching(/^aggregates-load: .*circuit of lake is open/) },
  });
  expect(await circuits()).toMatchObject({ lake: 'open', ledger: 'closed', artifacts: 'closed' });
});

it('a release that a rollback would serve opens no circuit of the champion, though it cannot be read', async () => {
  const target = (await readPointer(here.prod.ledger, MODEL))?.current;
  await here.promote(await here.release('release 200'));
  const read = here.prod.releases.read.bind(here.prod.releases);
  const asked = vi
    .spyOn(here.prod.releases, 'read')
    .mockImplementation((digest) => (digest === target ? Promise.reject(throttled()) : read(digest)));
  for (let time = 0; time < 2 * FAULTS_TO_OPEN; time += 1) {
    pass(6_000);
    expect((await here.infer()).status).toBe(200);
  }
  expect(asked.mock.calls.filter(([digest]) => digest === target).length).toBeGreaterThanOrEqual(FAULTS_TO_OPEN);
  expect(await circuits()).toMatchObject({ artifacts: 'closed', lake: 'closed' });
});
