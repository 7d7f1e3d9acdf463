// Any state that meets a fault which no repetition mends, by the machines with what records faults: in the chain, once,
// and told to people. The journey of faults tries one of each kind of Catch on deployed stacks.
import { beforeEach, describe, expect, it } from 'vitest';
import type { AuditRecord } from '#domain/audit/chain.ts';
import { keys } from '#domain/ledger/keys.ts';
import { type Execution, execute, TaskError } from '#local/statemachines/interpreter.ts';
import { readPointer } from '#read-model/pointer.ts';
import { findPromotion, readLock } from '#read-model/promotions.ts';
import { type MachineName, type Script, scripted } from '#test/statemachines/_scripted.ts';
import { WELL } from '#test/statemachines/_scripts.ts';
import { recordExecutionEnd } from '#use-cases/recorder/record-execution-end.ts';
import { recordRunFailure } from '#use-cases/runs/record-run-failure.ts';
import { openRetrainingRun } from '#use-cases/retraining/open-retraining-run.ts';
import type { Task } from '#use-cases/task.ts';
import { promote, rollBack } from './_machine.ts';
import { scene } from './_scene.ts';
import { admitDays } from './_admitted.ts';
import { type Environment, MODEL, publishRecords } from './_environments.ts';

const FAULT = 'Runtime.HandlerError';

let here: Awaited<ReturnType<typeof scene>>;
let dev: Environment;
let prod: Environment;
beforeEach(async () => {
  here = await scene();
  ({ prod } = here);
  dev = here.environment('dev');
  await admitDays(dev.ledger, '2001-01-01', '2001-01-19');
});

/** Fails the states that are named. */
const failing =
  (states: readonly string[]) =>
  async (state: string): Promise<void> => {
    if (states.includes(state)) throw new TaskError(FAULT);
  };

/** What Step Functions says of an execution that failed, to the function that records what no state has recorded. */
function ends({ environment }: Environment, machine: string, name: string, input: object) {
  const stateMachineArn = `arn:aws:states:us-east-1:333333333333:stateMachine:gatehouse-${environment}-${machine}`;
  return { stateMachineArn, name, status: 'FAILED', input: JSON.stringify(input), cause: 'planted' };
}

/** The one record of a failure, of which people have heard. */
async function told(own: Environment, fits: (record: AuditRecord) => boolean): Promise<AuditRecord> {
  const found = (await own.chain()).filter(fits);
  expect(found).toHaveLength(1);
  await publishRecords(own, MODEL);
  expect(own.announcements.alerted.filter(fits)).toEqual(found);
  return found[0] as AuditRecord;
}
const ofRun =
  (machine: string, run: string) =>
  ({ code, details }: AuditRecord): boolean =>
    code === 'RUN_FAILED' && details['machine'] === machine && details['run'] === run;

/** Runs a machine of dev by its script, but for what opens a run and what records its faults. */
function inDev(name: MachineName, run: string, states: readonly string[], more: Script = {}): Promise<Execution> {
  const tasks: Readonly<Record<string, Task>> = {
    'Open retraining run': openRetrainingRun(dev),
    'Record failure': recordRunFailure(dev),
  };
  const script = scripted(WELL[name].script, more);
  const fail = failing(states);
  return execute(
    name,
    { ...WELL[name].input, model: MODEL, run },
    async (call) => {
      await fail(call.state);
      const task = tasks[call.state];
      return task === undefined ? script(call) : JSON.parse(JSON.stringify(await task(call.payload['input'])));
    },
    run,
  );
}

describe('a retraining run', () => {
  it.each([
    ['Plan windows'],
    ['Build daily partition'],
    ['Build feature partition'],
    ['Validate data'],
    ['Export training rows'],
    ['Train window'],
    ['Package candidates'],
    ['Register candidate'],
    ['Validate candidates'],
  ])('that fails in "%s" has failed, is recorded and alerted', async (state) => {
    const { status, path } = await inDev('retraining', 'run-1', [state]);
    expect(path).toContain(state);
    expect(status).toBe('FAILED');
    expect((await told(dev, ofRun('retraining', 'run-1'))).details).toMatchObject({ state: FAULT });
    expect(await dev.ledger.get(keys.run(MODEL, 'run-1'))).toMatchObject({ status: 'failed' });
  });

  it('that fails before it is opened is recorded and alerted, and is no run', async () => {
    expect((await inDev('retraining', 'run-1', ['Open retraining run'])).status).toBe('FAILED');
    await told(dev, ofRun('retraining', 'run-1'));
    expect(await dev.ledger.get(keys.run(MODEL, 'run-1'))).toBeUndefined();
  });

  it.each([['Open retraining run'], ['Plan windows']])(
    'that fails in "%s" and in its recorder is recorded from outside',
    async (state) => {
      expect((await inDev('retraining', 'run-1', [state, 'Record failure'])).status).toBe('FAILED');
      expect((await dev.codes()).filter((code) => code === 'RUN_FAILED')).toEqual([]);
      const end = ends(dev, 'retraining', 'run-1', { model: MODEL, run: 'run-1' });
      // EventBridge delivers at least once.
      for (const result of ['recorded', 'already-recorded'])
        expect(await recordExecutionEnd(dev, end)).toEqual({ result });
      await told(dev, ofRun('retraining', 'run-1'));
      const run = await dev.ledger.get(keys.run(MODEL, 'run-1'));
      expect(run?.['status']).toBe(state === 'Open retraining run' ? undefined : 'failed');
    },
  );
});

describe('a validation', () => {
  it.each([
    ['Plan validation'],
    ['Build daily partition'],
    ['Build feature partition'],
    ['Score release'],
    ['Measure comparison'],
    ['Evaluate gates'],
    ['Offer release'],
  ])('that fails in "%s" is recorded and alerted', async (state) => {
    const { status, path } = await inDev('validation', 'run-1', [state]);
    expect(path).toContain(state);
    expect(status).toBe('FAILED');
    expect((await told(dev, ofRun('validation', 'run-1'))).details).toMatchObject({ state: FAULT });
  });

  it('that fails in its recorder as well is recorded from outside', async () => {
    expect((await inDev('validation', 'run-1', ['Plan validation', 'Record failure'])).status).toBe('FAILED');
    const end = ends(dev, 'validation', 'execution-1', { model: MODEL, run: 'run-1' });
    expect(await recordExecutionEnd(dev, end)).toEqual({ result: 'recorded' });
    await told(dev, ofRun('validation', 'run-1'));
  });

  it('that fails is a failure of the run that waits for it', async () => {
    expect((await inDev('validation', 'run-1', ['Plan validation'])).status).toBe('FAILED');
    expect((await inDev('retraining', 'run-1', ['Validate candidates'])).status).toBe('FAILED');
    await told(dev, ofRun('validation', 'run-1'));
    await told(dev, ofRun('retraining', 'run-1'));
  });
});

describe('a promotion', () => {
  beforeEach(() => here.begin());

  const STATES = [
    ['Open promotion'],
    ['Pull release'],
    ['Verify release'],
    ['Plan comparison'],
    ['Build daily partition'],
    ['Build feature partition'],
    ['Score release'],
    ['Measure comparison'],
    ['Compare with champion'],
    ['Evaluate gates'],
    ['Request approvals'],
    ['Plan rollback target'],
    ['Verify rollback target'],
    ['Check source data'],
    ['Prepare rollback target'],
    ['Plan latency'],
    ['Measure latency'],
    ['Commit promotion'],
  ] as const;
  const ofPromotion =
    (promotion: string) =>
    ({ code, details }: AuditRecord): boolean =>
      code === 'PROMOTION_FAILED' && details['promotion'] === promotion;

  it.each(STATES)(
    'that fails in "%s" is recorded and alerted, leaves no lock, and may be asked for again',
    async (state) => {
      const { request, name, well } = await here.candidate('better');
      const { status, path } = await promote(prod, request, { ...well, before: failing([state]) });
      expect(path).toContain(state);
      expect(status).toBe('FAILED');
      expect((await told(prod, ofPromotion(name))).details).toMatchObject({ state: FAULT });
      expect((await findPromotion(prod.ledger, MODEL, name))?.status).toBe(
        state === 'Open promotion' ? undefined : 'failed',
      );
      expect((await readLock(prod.ledger, MODEL))?.promotion ?? null).toBe(null);
      expect(await readPointer(prod.ledger, MODEL)).toMatchObject({ current: here.baseline });
      const again = await here.candidate('better', { requestSeq: 2 });
      expect((await promote(prod, again.request, again.well)).path.at(-1)).toBe('Promoted');
    },
  );

  it.each([['Open promotion'], ['Evaluate gates']])(
    'that fails in "%s" and in its recorder is ended from outside',
    async (state) => {
      const { request, name, well } = await here.candidate('better');
      const before = failing([state, 'Record failure']);
      expect((await promote(prod, request, { ...well, before })).status).toBe('FAILED');
      await recordExecutionEnd(prod, ends(prod, 'promotion', name, { model: MODEL }));
      await told(prod, ofPromotion(name));
      expect((await readLock(prod.ledger, MODEL))?.promotion ?? null).toBe(null);
    },
  );
});

describe('a rollback', () => {
  let bad: Awaited<ReturnType<typeof here.letIn>>;
  beforeEach(async () => {
    await here.begin();
    bad = await here.letIn('bad');
  });
  const count = async (code: string): Promise<number> => (await prod.codes()).filter((each) => each === code).length;

  it.each([['Switch pointer']])('that fails in "%s" is recorded and alerted', async (state) => {
    const input = { rollback: 'back-1', from: bad.release };
    const { status, path } = await rollBack(prod, input, { before: failing([state]) });
    expect(path).toContain(state);
    expect(status).toBe('FAILED');
    await told(prod, ofRun('rollback', 'back-1'));
    expect((await readPointer(prod.ledger, MODEL))?.current).toBe(bad.release);
  });

  it.each([['Verify serving'], ['Open incident'], ['Repair predictions']])(
    'that fails in "%s" has gone back before anything else could fail; asked again it does what was left',
    async (state) => {
      const epoch = (await readPointer(prod.ledger, MODEL))?.epoch;
      const input = { rollback: 'back-1', from: bad.release, epoch };
      expect((await rollBack(prod, input, { before: failing([state]) })).status).toBe('FAILED');
      await told(prod, ofRun('rollback', 'back-1'));
      expect((await readPointer(prod.ledger, MODEL))?.current).toBe(here.baseline);
      expect((await rollBack(prod, input)).status).toBe('SUCCEEDED');
      expect(await count('RELEASE_ROLLED_BACK')).toBe(1);
      expect(await count('INCIDENT_OPENED')).toBe(1);
    },
  );

  it('that fails in its recorder as well is recorded from outside', async () => {
    const input = { rollback: 'back-1', from: bad.release };
    const before = failing(['Switch pointer', 'Record failure']);
    expect((await rollBack(prod, input, { before })).status).toBe('FAILED');
    const end = ends(prod, 'rollback', 'execution-1', { model: MODEL, ...input });
    expect(await recordExecutionEnd(prod, end)).toEqual({ result: 'recorded' });
    await told(prod, ofRun('rollback', 'back-1'));
  });
});
