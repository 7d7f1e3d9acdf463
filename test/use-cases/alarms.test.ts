import { beforeEach, describe, expect, it } from 'vitest';
import { memoryMetrics } from '#adapters/memory/metrics.ts';
import type { AlarmKind } from '#domain/alarm/alarm.ts';
import { queriesOf } from '#domain/alarm/samples.ts';
import { keys } from '#domain/ledger/keys.ts';
import { policyDigest } from '#domain/model/deployed.ts';
import type { Policy } from '#domain/policy/policy.ts';
import { findIncident } from '#read-model/incidents.ts';
import { readPointer } from '#read-model/pointer.ts';
import { isQuarantined } from '#read-model/quarantines.ts';
import { SERVING } from '#test/domain/alarm/_serving.ts';
import { actOnAlarm, type ActingOnAlarms, type Woken } from '#use-cases/alarm/act-on-alarm.ts';
import { superviseAlarms } from '#use-cases/alarm/supervise-alarms.ts';
import { deployed, type Environment, MODEL, policy } from './_environments.ts';
import { promote, rollBack } from './_machine.ts';
import { scene } from './_scene.ts';

const endpoint = { environment: 'prod', model: MODEL, api: 'api1', functionName: 'endpoint' };
const rules: Policy = { ...policy, serving: SERVING };

let here: Awaited<ReturnType<typeof scene>>;
let prod: Environment;
/** What CloudWatch has, by the name of the query. */
let measured: Record<string, number>;
/** What each reading of metrics asked for. */
let windows: { from: Date; until: Date }[];
let deps: ActingOnAlarms;

/** Puts the policy in force in prod. */
async function inForce(next: Policy, activation = 1): Promise<void> {
  const item = { formatVersion: 1, policy: policyDigest(next), activation, rules: next };
  await prod.ledger.transact([{ kind: 'put', item: { ...keys.policy(MODEL), ...item } }], `policy ${activation}`);
}

beforeEach(async () => {
  here = await scene();
  ({ prod } = here);
  await here.begin();
  await inForce(rules);
  measured = { count: 100, failed: 40, crashed: 40 };
  windows = [];
  deps = {
    ...prod,
    metrics: {
      async read(queries, window) {
        windows.push(window);
        return Object.fromEntries(
          Object.keys(queries).map((name) => [
            name,
            measured[name] === undefined ? [] : [{ at: window.until, value: measured[name] }],
          ]),
        ) as never;
      },
    },
  };
});

/** Fires an alarm a minute later: what is of the epoch before is not counted. */
const fire = (overrides: Partial<Woken> = {}) => {
  here.clock.at += 60_000;
  return actOnAlarm(deps, {
    endpoint,
    kind: 'errors',
    alarm: 'errors-toy',
    firedAt: prod.clock.now(),
    ...overrides,
  });
};
const last = async () => (await prod.chain()).at(-1);
/** The rollbacks that were started, by name. */
const started = () =>
  [...prod.machines.started].flatMap(([name, { machine, input }]) =>
    machine === 'rollback' ? [{ name, input: input as Record<string, unknown> }] : [],
  );

describe('an alarm that the metrics prove', () => {
  it('rolls back, once, and the incident says by what', async () => {
    const { release } = await here.letIn('bad');
    expect(await fire()).toMatchObject({ verdict: 'roll-back' });
    const [begun] = started();
    expect(begun).toMatchObject({
      name: `alarm-${MODEL}-2`,
      input: { actor: 'pipeline:alarms', from: release, epoch: 2 },
    });
    expect(await last()).toMatchObject({
      code: 'ROLLBACK_TRIGGERED',
      details: { alarm: 'errors-toy', kind: 'errors', values: { requests: 100, failed: 40 } },
    });
    expect((await rollBack(prod, begun?.input ?? {})).path.at(-1)).toBe('Rolled back');
    expect((await readPointer(prod.ledger, MODEL))?.current).toBe(here.baseline);
    expect(await isQuarantined(prod.ledger, MODEL, release)).toBe(true);
    expect((await findIncident(prod.ledger, MODEL, `${MODEL}-prod-rollback-2`))?.rollback).toMatchObject({
      alarm: { name: 'errors-toy', kind: 'errors', values: { failed: 40 } },
    });
  });

  it('acts once for an epoch, however many alarms fire and however often', async () => {
    await here.letIn('bad');
    measured = { count: 100, failed: 40, crashed: 40, answers: 1000, slow: 400 };
    await Promise.all([fire(), fire(), fire({ kind: 'latency', alarm: 'latency-toy' })]);
    await fire();
    expect(started()).toHaveLength(1);
    expect((await prod.codes()).filter((code) => code === 'ROLLBACK_TRIGGERED')).toHaveLength(1);
  });

  it('starts again what came to an end without having switched', async () => {
    await here.letIn('bad');
    await fire();
    prod.machines.ended.set(`alarm-${MODEL}-2`, 'FAILED');
    await fire({ firedAt: undefined });
    expect(started().map(({ name }) => name)).toEqual([`alarm-${MODEL}-2`, `alarm-${MODEL}-2-2`]);
    // Its input names the rollback that was recorded.
    expect(started()[1]?.input).toMatchObject({ rollback: `alarm-${MODEL}-2` });
  });

  it('takes four calls of AWS from the decision to the switched pointer', async () => {
    await here.letIn('bad');
    const calls: string[] = [];
    let isReading = false;
    const read = <T>(work: () => Promise<T>): Promise<T> => {
      // What is read in one turn of the event loop goes as one call.
      if (!isReading) calls.push('read');
      isReading = true;
      queueMicrotask(() => (isReading = false));
      return work();
    };
    const ledger: typeof prod.ledger = {
      ...prod.ledger,
      get: (key) => read(() => prod.ledger.get(key)),
      getMany: (many) => read(() => prod.ledger.getMany(many)),
      transact: (writes, token) => {
        calls.push('transact');
        return prod.ledger.transact(writes, token);
      },
    };
    const machines = {
      ...prod.machines,
      start: (...given: Parameters<typeof prod.machines.start>) => {
        calls.push('start');
        return prod.machines.start(...given);
      },
    };
    here.clock.at += 60_000;
    await actOnAlarm({ ...deps, ledger, machines }, { endpoint, kind: 'errors', alarm: 'a', firedAt: undefined });
    // Before the decision: pointer and policy, then what was triggered before.
    const decided = calls.splice(0, 2);
    expect(decided).toEqual(['read', 'read']);
    await rollBack({ ...prod, ledger }, started()[0]?.input ?? {}, {
      after: async (state) => {
        if (state === 'Switch pointer') calls.push('switched');
      },
    });
    // The helper that runs the machine reads the pointer once by itself.
    const switched = calls.slice(0, calls.indexOf('switched')).filter((_, index) => index !== 2);
    expect(switched).toEqual(['transact', 'start', 'read', 'transact']);
  });

  it('beats a promotion that is open: its commit is refused', async () => {
    await here.letIn('bad');
    const next = await here.candidate('next', { requestSeq: 2, version: '0.1.2' });
    const before = async (state: string): Promise<void> => {
      if (state !== 'Commit promotion') return;
      await fire();
      await rollBack(prod, started()[0]?.input ?? {});
    };
    const { path } = await promote(prod, next.request, { ...next.well, before });
    expect(path.slice(-2)).toEqual(['Refuse promotion', 'Refused']);
    expect((await readPointer(prod.ledger, MODEL))?.current).toBe(here.baseline);
  });
});

describe('an alarm that rolls nothing back', () => {
  it.each([
    ['errors that chance explains', 'errors', { count: 100, failed: 6, errors: 6 }, 'none'],
    ['late aggregates', 'errors', { count: 100, failed: 40, unavailable: 40 }, 'none'],
    ['a storm of throttles', 'errors', { count: 100, failed: 40, throttled: 40 }, 'none'],
    ['no metric at all', 'latency', {}, 'none'],
    ['a metric that is no number', 'errors', { count: 100, failed: Number.NaN }, 'none'],
  ] as const)('because of %s', async (_, kind: AlarmKind, values, verdict) => {
    await here.letIn('bad');
    measured = { ...values };
    expect(await fire({ kind })).toMatchObject({ verdict });
    expect(started()).toEqual([]);
    expect(await last()).toMatchObject({ code: 'ROLLBACK_NOT_TRIGGERED', details: { verdict, kind } });
  });

  it('because it fired in an earlier epoch: it is recorded', async () => {
    const firedAt = new Date(prod.clock.now().getTime() - 1);
    await here.letIn('bad');
    expect(await fire({ firedAt })).toMatchObject({
      verdict: 'none',
      found: expect.stringContaining('before epoch 2'),
    });
    expect(started()).toEqual([]);
  });

  it('because nothing was confirmed before: people are paged', async () => {
    expect(await fire()).toMatchObject({ verdict: 'page', found: expect.stringContaining('nothing to go back to') });
    expect(await last()).toMatchObject({ code: 'ROLLBACK_NOT_TRIGGERED', details: { verdict: 'page' } });
  });

  it('because an alarm rolled back within the hours: an outage does not walk back release by release', async () => {
    await here.letIn('first');
    await here.letIn('second', { requestSeq: 2, version: '0.1.2' });
    await fire();
    await rollBack(prod, started()[0]?.input ?? {});
    here.clock.at += 3_600_000;
    expect(await fire()).toMatchObject({ verdict: 'page', found: expect.stringContaining('within 24 hours') });
    expect(started()).toHaveLength(1);
    here.clock.at += 24 * 3_600_000;
    expect(await fire()).toMatchObject({ verdict: 'roll-back' });
  });

  it('pages once for an epoch, and not each minute', async () => {
    for (let minute = 0; minute < 3; minute += 1) await fire({ firedAt: undefined });
    expect((await prod.codes()).filter((code) => code === 'ROLLBACK_NOT_TRIGGERED')).toHaveLength(1);
  });

  it('because the policy in force has no rule', async () => {
    await inForce(policy, 2);
    expect(await fire()).toMatchObject({ verdict: 'none', found: expect.stringContaining('no rule') });
  });

  it('where the metrics cannot be read: it is tried again', async () => {
    await here.letIn('bad');
    here.clock.at += 60_000;
    const metrics = { read: () => Promise.reject(new Error('throttled')) };
    const woken = { endpoint, kind: 'errors', alarm: 'a', firedAt: undefined } as const;
    await expect(actOnAlarm({ ...deps, metrics }, woken)).rejects.toThrow('throttled');
  });
});

it('counts no minute of the epoch before', async () => {
  await here.letIn('bad');
  await fire();
  const began = Date.parse((await readPointer(prod.ledger, MODEL))?.at ?? '');
  // A call may take thirty seconds.
  expect(windows[0]?.from.getTime()).toBe(began + 30_000);
  expect(windows[0]?.until).toEqual(prod.clock.now());
});

it('asks for the metrics of this endpoint alone', () => {
  expect(queriesOf('errors', endpoint)).toMatchObject({
    failed: { namespace: 'AWS/ApiGateway', name: '5xx', dimensions: { ApiId: 'api1' }, statistic: 'Sum' },
    throttled: { namespace: 'AWS/Lambda', dimensions: { FunctionName: 'endpoint' } },
    unavailable: { dimensions: { environment: 'prod', model: MODEL, arm: 'champion' } },
    probes: { dimensions: { environment: 'prod', model: MODEL }, statistic: 'SampleCount' },
  });
});

describe('the supervisor', () => {
  let emitted: ReturnType<typeof memoryMetrics>;
  beforeEach(() => {
    emitted = memoryMetrics();
  });
  const supervise = (firing: readonly string[], is: Policy = rules) => {
    here.clock.at += 60_000;
    return superviseAlarms({
      ...deps,
      alarms: { inAlarm: async () => firing },
      emitted,
      deployed: { ...deployed, models: deployed.models.map((each) => ({ ...each, policy: is })) },
      watched: (['errors', 'latency', 'health'] as const).map((kind) => ({ name: `${kind}-toy`, kind, endpoint })),
      prefix: '',
    })({});
  };

  it('acts on what is in alarm, whose action came to nothing', async () => {
    await here.letIn('bad');
    expect(await supervise(['errors-toy'])).toMatchObject({
      evaluated: [{ alarm: 'errors-toy', verdict: 'roll-back' }],
    });
    expect(started()).toHaveLength(1);
  });

  it('starts what was triggered and never started, whatever the metrics say by now', async () => {
    await here.letIn('bad');
    here.clock.at += 60_000;
    const machines = { ...prod.machines, start: () => Promise.reject(new Error('throttled')) };
    const woken = { endpoint, kind: 'errors', alarm: 'a', firedAt: undefined } as const;
    await expect(actOnAlarm({ ...deps, machines }, woken)).rejects.toThrow('throttled');
    expect(started()).toEqual([]);
    measured = {};
    await supervise([]);
    expect(started().map(({ name }) => name)).toEqual([`alarm-${MODEL}-2`]);
  });

  it('pages, once, where a rollback ends again and again', async () => {
    await here.letIn('bad');
    here.clock.at += 60_000;
    await fire();
    measured = {};
    for (let minute = 0; minute < 7; minute += 1) {
      for (const { name } of started()) prod.machines.ended.set(name, 'FAILED');
      await supervise([]);
    }
    expect(started()).toHaveLength(5);
    const pages = (await prod.chain()).filter(({ code }) => code === 'ROLLBACK_NOT_TRIGGERED');
    expect(pages).toMatchObject([{ details: { verdict: 'page', found: expect.stringContaining('ended 5 times') } }]);
  });

  it('looks at nothing else', async () => {
    await here.letIn('bad');
    expect(await supervise([])).toEqual({ evaluated: [] });
    expect(started()).toEqual([]);
  });

  it('evaluates the thresholds in force where others are deployed, and says so once', async () => {
    await here.letIn('bad');
    const loose: Policy = { ...policy, serving: { ...SERVING, errors: { ...SERVING.errors, rate: 0.9 } } };
    await supervise([], loose);
    expect(started()).toHaveLength(1);
    await supervise([], loose);
    const said = (await prod.chain()).filter(({ code }) => code === 'SERVING_RULES_DIFFER');
    expect(said).toMatchObject([{ details: { found: 'serving.errors.rate: deployed 0.9, in force 0.05' } }]);
  });

  it('says how long no probe has learned anything, since something is served', async () => {
    const said = async () => {
      await supervise([]);
      return emitted.emitted.at(-1);
    };
    here.clock.at += 11 * 60_000;
    measured = {};
    expect(await said()).toEqual([{ environment: 'prod', model: MODEL }, { MinutesWithoutProbe: 12 }]);
    measured = { probes: 1 };
    expect((await said())?.[1]).toEqual({ MinutesWithoutProbe: 0 });
  });

  it('decides nothing by a threshold that is deployed only', async () => {
    await here.letIn('bad');
    measured = { count: 1000, failed: 30, errors: 30 };
    const strict: Policy = { ...policy, serving: { ...SERVING, errors: { ...SERVING.errors, rate: 0.01 } } };
    await supervise(['errors-toy'], strict);
    expect(started()).toEqual([]);
  });
});

it('is no actor of another epoch, or of a rollback that it has not triggered', async () => {
  const { release } = await here.letIn('bad');
  for (const rollback of [`alarm-${MODEL}-2`, 'alarm-another']) {
    const { path } = await rollBack(prod, { rollback, from: release, actor: 'pipeline:alarms' });
    expect(path.at(-1)).toBe('Refused');
  }
  expect((await last())?.details).toMatchObject({ rule: 'actor-verified' });
});
