// An arm that fails or is late costs nobody an answer: the champion gives it, and says for whom.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { digestOf } from '#domain/canonical/digest.ts';
import type { ArmAnswer } from '#serving/arm-protocol.ts';
import { FAULTS_TO_OPEN, OPEN_MS } from '#serving/circuits.ts';
import { MODEL } from '#test/use-cases/_environments.ts';
import { armCall, divided, type Divided } from './_arms.ts';
import { inputs } from './_endpoint.ts';

let here: Divided;
beforeEach(async () => {
  here = await divided();
  vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'], now: here.clock.at });
});
afterEach(() => {
  vi.useRealTimers();
});

type Call = (payload: unknown, signal: AbortSignal) => Promise<unknown>;
/** Has the candidate's function do something else. */
const candidate = (call: Call): void => {
  here.arms.candidate = call;
};
/** Time goes on, for the endpoint and for its circuits. */
const pass = (milliseconds: number): void => {
  here.clock.at += milliseconds;
  vi.setSystemTime(Date.now() + milliseconds);
};
/** What the candidate's function really answers, with something else in it. */
const changed = (change: (answer: Extract<ArmAnswer, { kind: 'answered' }>) => unknown): Call => {
  return async (payload) => {
    const { answer } = await here.cores.candidate.answer(payload);
    if (answer.kind === 'refused') throw new Error(`refused: ${answer.refusal.found}`);
    return change(answer);
  };
};
/** Has the budget of a call pass as soon as the arm has got it. */
const lateAfter = (call: Call = () => new Promise(() => {})): void =>
  candidate((payload, signal) => {
    setImmediate(() => vi.advanceTimersByTime(here.plan.armMs));
    return call(payload, signal);
  });
/** Expects that the champion answers for the candidate, and answers why. */
async function fallback() {
  const { status, json, probabilities, entry } = await here.ask('candidate');
  expect([status, probabilities]).toEqual([200, [0.1]]);
  expect(json.parameters).toMatchObject({ digest: here.first, arm: 'champion', fallback_from: 'candidate' });
  expect(entry?.request).toMatchObject({ arm: 'candidate', release: here.first, version: '0.1.1' });
  return entry?.request.armFailure;
}
const measured = () => here.measured();
const ARM = { environment: 'prod', model: MODEL, arm: 'candidate' };

it('takes an arm for which the account has no room for late: its release has failed nothing', async () => {
  candidate(() => Promise.reject(Object.assign(new Error('Rate Exceeded.'), { name: 'TooManyRequestsException' })));
  expect(await fallback()).toEqual({ kind: 'late', cause: 'TooManyRequestsException: Rate Exceeded.' });
});

describe('an arm that fails', () => {
  it.each<readonly [what: string, call: Call, cause: string | RegExp]>([
    ['by an error', () => Promise.reject(new TypeError('out of memory')), 'TypeError: out of memory'],
    ['with nothing', async () => null, /^an answer of another shape/],
    [
      'with more than it should say',
      changed((answer) => ({ ...answer, arm: 'champion' })),
      /^an answer of another shape/,
    ],
    [
      'with a probability that is no number',
      changed(({ made, ...answer }) => {
        return { ...answer, made: { ...made, events: made.events.map((event) => ({ ...event, probability: null })) } };
      }),
      /^an answer of another shape: made\.events\.0\.probability/,
    ],
    [
      'by another release than the pointer names',
      changed((answer) => ({ ...answer, release: digestOf('another') })),
      /^sha256:[0-9a-f]{64} answers, the pointer names sha256:/,
    ],
    [
      'with an answer to another request',
      async (payload) => {
        const body = JSON.stringify({ inputs: inputs([{ id: 'another' }]) });
        return (await here.cores.candidate.answer({ ...(payload as object), body })).answer;
      },
      'the answer is of other events',
    ],
    [
      'with raw events that are others',
      changed(({ raw, ...answer }) => {
        return { ...answer, raw: { ...raw, events: raw.events.map((event) => ({ ...event, price: 9 })) } };
      }),
      'raw events do not hash to their digests',
    ],
    [
      'by a refusal',
      async () => ({
        kind: 'refused',
        status: 503,
        refusal: { rule: 'champion-loads', found: 'no graph', remedy: '' },
      }),
      '503 champion-loads: no graph',
    ],
    [
      'by refusing a request that the champion answers, whose values are not kept',
      async () => ({
        kind: 'refused',
        status: 422,
        refusal: { rule: 'input-values', found: 'input who is "ann"', remedy: '' },
      }),
      '422 input-values',
    ],
  ])('%s: the champion answers, and the log says why', async (_, call, cause) => {
    candidate(call);
    const failure = await fallback();
    expect(failure).toEqual({
      kind: 'failed',
      cause: typeof cause === 'string' ? cause : expect.stringMatching(cause),
    });
    expect(measured()).toEqual([ARM, { Requests: 1, Errors: 1, DependencyUnavailable: 0, Latency: 0 }]);
  });

  it('has a cause of at most 200 characters', async () => {
    candidate(() => Promise.reject(new Error('x'.repeat(5_000))));
    expect((await fallback())?.cause).toHaveLength(200);
  });

  it('costs the control arm nothing', async () => {
    candidate(() => Promise.reject(new Error('down')));
    for (let time = 0; time < 2 * FAULTS_TO_OPEN; time += 1) await fallback();
    expect((await here.ask('control')).json.parameters).toMatchObject({ arm: 'control' });
  });
});

describe('an arm that is late', () => {
  it('is not waited for: the call is ended, and nothing of it is left', async () => {
    let signal: AbortSignal | undefined;
    lateAfter((_, of) => {
      signal = of;
      return new Promise(() => {});
    });
    expect(await fallback()).toEqual({ kind: 'late', cause: 'no answer within 400 ms' });
    expect(signal?.aborted).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
    // Lateness is no error.
    expect(measured()).toMatchObject([ARM, { Requests: 1, Errors: 0, DependencyUnavailable: 0 }]);
  });

  it('is late also where the call itself says that it was ended', async () => {
    lateAfter((_, signal) => {
      return new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(new DOMException('ended', 'AbortError')));
      });
    });
    expect(await fallback()).toMatchObject({ kind: 'late' });
  });

  it('is what an open circuit makes of it, if the arm was late until then', async () => {
    lateAfter();
    for (let time = 0; time < FAULTS_TO_OPEN; time += 1) await fallback();
    expect(await fallback()).toEqual({ kind: 'late', cause: 'the circuit is open after 5 faults in a row' });
  });
});

describe('the circuit of an arm', () => {
  it('opens after some faults in a row, and tries the arm again a while later', async () => {
    let calls = 0;
    candidate(async () => {
      calls += 1;
      throw new Error('down');
    });
    for (let time = 0; time < FAULTS_TO_OPEN + 3; time += 1) await fallback();
    expect(calls).toBe(FAULTS_TO_OPEN);
    expect(await fallback()).toEqual({ kind: 'failed', cause: 'the circuit is open after 5 faults in a row' });
    candidate(async (payload) => (await here.cores.candidate.answer(payload)).answer);
    pass(OPEN_MS - 1);
    await fallback();
    pass(1);
    expect((await here.ask('candidate')).json.parameters).toMatchObject({ arm: 'candidate' });
  });

  it('is of one plan: the next candidate begins with a closed one', async () => {
    candidate(() => Promise.reject(new Error('down')));
    for (let time = 0; time < FAULTS_TO_OPEN; time += 1) await fallback();
    candidate(async (payload) => (await here.cores.candidate.answer(payload)).answer);
    await here.divide({ ...here.plan, promotion: 'promotion-2' });
    pass(6_000);
    expect((await here.ask('candidate')).json.parameters).toMatchObject({ arm: 'candidate' });
  });

  it('does not open by requests that are wrong', async () => {
    const wrong = { outputs: [{ name: 'none' }] };
    for (let time = 0; time < 2 * FAULTS_TO_OPEN; time += 1)
      expect((await here.ask('candidate', wrong)).status).toBe(422);
    expect((await here.ask('candidate')).json.parameters).toMatchObject({ arm: 'candidate' });
  });
});

it('a request that the champion refuses as well is the caller’s: it is answered so, and nothing is counted', async () => {
  candidate(() => Promise.reject(new Error('down')));
  const { status, json, entry } = await here.ask('candidate', { outputs: [{ name: 'none' }] });
  expect([status, json.error?.split(':')[0]]).toEqual([422, 'outputs-known']);
  expect(entry).toBeUndefined();
  expect(here.log.failed).toEqual([]);
  expect(measured()).toEqual([ARM, { Requests: 1, Errors: 0, DependencyUnavailable: 0 }]);
  // What cannot be read is the champion's to refuse.
  expect((await here.infer(inputs([{ id: here.idFor('candidate'), price: 'dear' }]))).status).toBe(422);
  expect(measured()?.[0]).toMatchObject({ arm: 'champion' });
});

it('an arm that knows an older pointer than the endpoint reads it again, so that no canary begins with failures', async () => {
  const { seq } = await here.pointer();
  const { answer } = await here.cores.candidate.answer(armCall(seq, here.clock.at));
  expect(answer.kind).toBe('answered');
  const third = await here.release('release 300');
  await here.promote(third, '0.1.2');
  const next = await here.release('release 400');
  const [first] = (await here.pointer()).traffic.arms;
  const arms = [
    { ...first, share: 0.5 },
    { arm: 'candidate', release: next, share: 0.5 },
  ] as never;
  const traffic = { planSeq: 4, arms, plan: { ...here.plan, candidate: next } };
  await here.put({ ...(await here.pointer()), seq: seq + 2, traffic });
  const again = await here.cores.candidate.answer(armCall(seq + 2, here.clock.at));
  expect(again.answer).toMatchObject({ kind: 'answered', release: next, made: { events: [{ probability: 0.4 }] } });
});
