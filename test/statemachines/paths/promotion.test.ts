import { describe, expect, it } from 'vitest';
import { execute, TaskError } from '#local/statemachines/interpreter.ts';
import { nothingPlanned } from '#use-cases/data/plan-comparison.ts';
import { failing, scripted } from '../_scripted.ts';
import { FAILED_GATE, FIRST_RELEASE, REFUSED, WELL } from '../_scripts.ts';
import { MEASURING, run } from './_run.ts';

const OPENING = [
  'Open promotion',
  'Lock taken?',
  'Pull release',
  'Release pulled?',
  'Verify release',
  'Plan comparison',
  'Comparison possible?',
];
const JUDGING = ['Compare with champion', 'Canary asked?', 'Measure traffic', 'Evaluate gates', 'Champion beaten?'];
const WITHOUT_CANARY = [
  'Compare with champion',
  'Canary asked?',
  'No canary asked',
  'Evaluate gates',
  'Champion beaten?',
];
const COMMITTING = [
  'Plan aggregates',
  'Aggregates planned?',
  'Build missing aggregates',
  'Build aggregates',
  'Publish aggregates',
  'Aggregates published?',
  'Canary needed?',
  'Watch canary',
  'Canary passed?',
  'Plan rollback target',
  'Verify rollback target',
  'Check source data',
  'Prepare rollback target',
  'Rollback target ready?',
  'Plan latency',
  'Measure latency',
  'Commit promotion',
  'Committed?',
  'Verify serving',
  'Serving verified?',
];
const TO_APPROVAL = [...OPENING, ...MEASURING, ...JUDGING, 'Gates passed?', 'Approvals needed?', 'Request approvals'];

describe('promotion', () => {
  it('promotes the first release without a comparison and without approvals', async () => {
    const { path, status } = await run('promotion', FIRST_RELEASE);
    const committing = COMMITTING.filter((state) => state !== 'Watch canary' && state !== 'Canary passed?');
    expect(path).toEqual([
      ...OPENING,
      ...WITHOUT_CANARY,
      'Gates passed?',
      'Approvals needed?',
      ...committing,
      'Promoted',
    ]);
    expect(status).toBe('SUCCEEDED');
  });

  it('promotes a better candidate after people approved', async () => {
    const { path, calls } = await run('promotion');
    expect(path).toEqual([...TO_APPROVAL, 'Approved?', ...COMMITTING, 'Promoted']);
    const asked = calls.find(({ state }) => state === 'Request approvals');
    expect(asked?.payload).toEqual({
      task: 'Request approvals',
      input: { model: 'm', promotion: 'promotion-execution', token: asked?.token },
    });
  });

  it('builds no aggregates that are there', async () => {
    const { path } = await run('promotion', { 'Plan aggregates': { status: 'current' } });
    const built = ['Build missing aggregates', 'Build aggregates', 'Publish aggregates', 'Aggregates published?'];
    expect(path).toEqual(
      [...TO_APPROVAL, 'Approved?', ...COMMITTING, 'Promoted'].filter((state) => !built.includes(state)),
    );
  });

  it('keeps aggregates that were published meanwhile', async () => {
    const { path } = await run('promotion', { 'Publish aggregates': { status: 'kept' } });
    expect(path).toEqual([...TO_APPROVAL, 'Approved?', ...COMMITTING, 'Promoted']);
  });

  it('hands the measurement, and not the plan, to the gates', async () => {
    const { calls } = await run('promotion');
    for (const name of ['Compare with champion', 'Evaluate gates']) {
      const call = calls.find(({ state }) => state === name);
      expect(call?.payload).toMatchObject({
        input: { comparison: { measure: 'sha256:m' }, verification: { release: 'sha256:r' } },
      });
    }
  });

  it.each([
    ['Open promotion', REFUSED, ['Open promotion', 'Lock taken?', 'Opening was refused']],
    ['Pull release', REFUSED, [...OPENING.slice(0, 4), 'Pull was refused']],
    ['Compare with champion', FAILED_GATE, [...OPENING, ...MEASURING, ...JUDGING, 'Champion was not beaten']],
    ['Evaluate gates', FAILED_GATE, [...OPENING, ...MEASURING, ...JUDGING, 'Gates passed?', 'Gates were not passed']],
    [
      'Prepare rollback target',
      REFUSED,
      [...TO_APPROVAL, 'Approved?', ...COMMITTING.slice(0, 14), 'Rollback target is not ready'],
    ],
    [
      'Publish aggregates',
      REFUSED,
      [...TO_APPROVAL, 'Approved?', ...COMMITTING.slice(0, 6), 'Aggregates were not built'],
    ],
    [
      'Watch canary',
      { Status: 'SUCCEEDED', ExecutionArn: 'arn:child', Output: { outcome: REFUSED } },
      [...TO_APPROVAL, 'Approved?', ...COMMITTING.slice(0, 9), 'Canary was not passed'],
    ],
    ['Commit promotion', REFUSED, [...TO_APPROVAL, 'Approved?', ...COMMITTING.slice(0, 18), 'Commit was refused']],
  ])('ends in a recorded refusal where "%s" refuses', async (state, answer, before) => {
    const { path, status, calls } = await run('promotion', { [state]: answer });
    expect(path).toEqual([...before, 'Refuse promotion', 'Refused']);
    expect(status).toBe('SUCCEEDED');
    expect(calls.at(-1)?.payload).toMatchObject({
      input: { refusal: { rule: REFUSED.refusal.rule }, promotion: 'promotion-execution' },
    });
  });

  it('is refused for the reason with which the waiting for people was ended', async () => {
    const { path, calls } = await run('promotion', { 'Request approvals': REFUSED });
    expect(path).toEqual([...TO_APPROVAL, 'Approved?', 'Approval was not given', 'Refuse promotion', 'Refused']);
    expect(calls.at(-1)?.payload).toMatchObject({ input: { refusal: REFUSED.refusal } });
  });

  it('is refused when nobody decides in time', async () => {
    const { input, script } = WELL.promotion;
    const { path } = await execute('promotion', input, failing('Request approvals', script, 'States.Timeout'));
    expect(path).toEqual([...TO_APPROVAL, 'Approval expired', 'Refuse promotion', 'Refused']);
  });

  it('waits for the lock, and goes on when it is free', async () => {
    const waiting = { status: 'waiting', promotion: 'p', reason: 'another one is open', seconds: 120 } as const;
    const { path } = await run('promotion', {
      ...FIRST_RELEASE,
      'Open promotion': [waiting, waiting, FIRST_RELEASE['Open promotion']],
    });
    const again = ['Open promotion', 'Lock taken?', 'Wait for lock'];
    expect(path.slice(0, 9)).toEqual([...again, ...again, 'Open promotion', 'Lock taken?', 'Pull release']);
    expect(path.at(-1)).toBe('Promoted');
  });

  it('judges what cannot be compared, and passes nothing over', async () => {
    const plan = { status: 'insufficient', ...nothingPlanned(['labels are missing']) } as const;
    const { path, calls } = await run('promotion', { 'Plan comparison': plan, 'Compare with champion': FAILED_GATE });
    expect(path).toEqual([...OPENING, ...JUDGING, 'Champion was not beaten', 'Refuse promotion', 'Refused']);
    expect(calls.find(({ state }) => state === 'Compare with champion')?.payload).toMatchObject({
      input: { comparison: plan },
    });
  });

  it('rolls back what is not served', async () => {
    const { path, status, calls } = await run('promotion', {
      'Verify serving': { status: 'failed', reason: 'the pointer names 1' },
    });
    expect(path.slice(-3)).toEqual(['Roll back', 'Rolled back?', 'Rolled back']);
    expect(status).toBe('FAILED');
    expect(calls.at(-1)).toMatchObject({
      child: 'rollback',
      payload: {
        model: 'm',
        rollback: 'promotion-execution-unserved',
        from: 'sha256:r',
        epoch: 3,
        actor: 'pipeline:promotion',
      },
    });
  });

  it('says so when there was nothing to go back to', async () => {
    const { path, status } = await run('promotion', {
      'Verify serving': { status: 'failed', reason: 'the pointer names 1' },
      'Roll back': { Status: 'SUCCEEDED', ExecutionArn: 'arn:child', Output: { target: { status: 'refused' } } },
    });
    expect(path.slice(-2)).toEqual(['Rolled back?', 'Not rolled back']);
    expect(status).toBe('FAILED');
  });

  it('keeps what could not be verified, and records the fault: a fault is no verdict on the release', async () => {
    const { input, script } = WELL.promotion;
    const { path, calls } = await execute('promotion', input, failing('Verify serving', script));
    expect(path.slice(-3)).toEqual(['Verify serving', 'Record failure', 'Failed']);
    expect(calls.map(({ child }) => child)).not.toContain('rollback');
  });

  it('goes on where the fault of the verification passes within a quarter of an hour', async () => {
    const { input, script } = WELL.promotion;
    const answer = scripted(script);
    let faults = 12;
    const { path } = await execute('promotion', input, (call) => {
      if (call.state === 'Verify serving' && faults > 0) {
        faults -= 1;
        throw new TaskError('Runtime.HandlerError');
      }
      return answer(call);
    });
    expect(path.at(-1)).toBe('Promoted');
  });
});
