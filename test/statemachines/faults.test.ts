import { describe, expect, it } from 'vitest';
import { type Call, execute, TaskError } from '#local/statemachines/interpreter.ts';
import { machine } from '#local/statemachines/machines.ts';
import { MACHINES, statesOf } from './_machines.ts';
import { failing, type Script } from './_scripted.ts';
import { BATCH, PROBATION, PROMOTION, REFUSED, unfit, WELL } from './_scripts.ts';

const taskStates = MACHINES.flatMap((name) =>
  statesOf(machine(name)).flatMap((found) =>
    found.state.Type === 'Task' ? [{ machine: name, state: found.name, map: found.map }] : [],
  ),
);

describe('a fault that no repetition mends', () => {
  const MANY = { 'Plan reconciliation': { ...BATCH['Plan reconciliation'], scale: 'distributed' } };
  /** What has to happen for a state to be entered at all. */
  const TO: Record<string, Script> = {
    'promotion: Refuse promotion': { 'Pull release': REFUSED },
    'promotion: Roll back': { 'Verify serving': { status: 'failed', reason: 'gone' } },
    'probation: Roll back': { 'Judge release': { ...PROBATION['Judge release'], status: 'roll-back' } },
    'rollback: Record refusal': { 'Switch pointer': REFUSED },
    'retraining: Reject run': { 'Plan windows': { status: 'refused', reasons: [] } },
    'retraining: Reject unfit data': { 'Validate data': unfit('FAIL') },
    'retraining: Reject untrained run': { 'Package candidates': { status: 'nothing', reasons: [] } },
    'validation: Hold unmeasured': { 'Plan validation': { status: 'insufficient', reasons: [] } },
    'validation: Reject candidates': { 'Evaluate gates': { verdict: 'FAIL', reasons: [] } },
    'validation: Hold as inconclusive': { 'Evaluate gates': { verdict: 'INCONCLUSIVE', reasons: [] } },
    'batch-inference: Report idle run': { 'Plan reconciliation': { status: 'planned', kind: 'none' } },
    'batch-inference: Build daily shard': MANY,
    'canary: Skip canary': { 'Open canary': { status: 'not-applicable', reason: 'r' } },
    'canary: Build aggregates': { 'Plan aggregates': PROMOTION['Plan aggregates'] },
    'canary: Publish aggregates': { 'Plan aggregates': PROMOTION['Plan aggregates'] },
    'batch-inference: Build feature shard': MANY,
    'batch-inference: Score shard': MANY,
  };
  const others = taskStates.filter(({ state }) => state !== 'Record failure');

  it.each(others)('of $machine: $state is recorded', async ({ machine: name, state }) => {
    const { input, script } = WELL[name];
    const { path, status, calls } = await execute(
      name,
      input,
      failing(state, { ...script, ...TO[`${name}: ${state}`] }),
    );
    expect(path).toContain(state);
    expect(status).toBe('FAILED');
    expect(path.slice(-2)).toEqual(['Record failure', 'Failed']);
    expect(calls.at(-1)?.payload).toMatchObject({
      input: { model: 'm', error: { Error: 'Runtime.HandlerError', Cause: 'planted' } },
    });
  });

  it.each(others)(
    'of $machine: $state is first tried again, unless it is another machine',
    async ({ machine: name, state }) => {
      const { input, script } = WELL[name];
      const { calls } = await execute(name, input, failing(state, { ...script, ...TO[`${name}: ${state}`] }));
      const tries = calls.filter((call) => call.state === state);
      // What was promoted is not left unverified for a fault of minutes.
      const patience = `${name}: ${state}` === 'promotion: Verify serving' ? 13 : 5;
      expect(tries).toHaveLength(tries[0]?.child === undefined ? patience : 1);
      // Each try that waits has a token of its own: an answer to an earlier one reaches nobody.
      if (tries[0]?.token !== undefined) expect(new Set(tries.map(({ token }) => token)).size).toBe(tries.length);
    },
  );

  it('is waited for where it is no fault: no room in the account for minutes, and then there is', async () => {
    const { input } = WELL.retraining;
    const script: Script = WELL.retraining.script;
    for (const name of [machine('retraining').StartAt, 'Build feature partition', 'Train window']) {
      const served = new Map<string, number>();
      const full = (times: number) => (call: Call) => {
        const count = served.get(call.state) ?? 0;
        served.set(call.state, count + 1);
        if (call.state === name && count < times) throw new TaskError('Lambda.TooManyRequestsException');
        return script[call.state];
      };
      expect((await execute('retraining', input, full(30))).status, name).toBe('SUCCEEDED');
      served.clear();
      expect((await execute('retraining', input, full(1000))).status, name).toBe('FAILED');
    }
  });

  it.each(MACHINES)(
    'of the recording state of %s fails the execution, which another function records',
    async (name) => {
      const { input } = WELL[name];
      const script: Script = WELL[name].script;
      const { StartAt: begin, States: states } = machine(name);
      const waited = states[begin];
      // A machine may wait before it does anything.
      const first = waited?.Type === 'Wait' ? waited.Next : begin;
      const answer = ({ state }: { state: string }): unknown => {
        if (state === first || state === 'Record failure') throw new TaskError('Runtime.HandlerError');
        return script[state];
      };
      const { path, status } = await execute(name, input, answer);
      expect(path.at(-1)).toBe('Record failure');
      expect(status).toBe('FAILED');
    },
  );
});
