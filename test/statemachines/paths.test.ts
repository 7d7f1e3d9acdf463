import { describe, expect, it } from 'vitest';
import { type Execution, execute, TaskError } from '#local/statemachines/interpreter.ts';
import { machine } from '#local/statemachines/machines.ts';
import {
  BATCH,
  FAILED_GATE,
  failing,
  FIRST_RELEASE,
  PROBATION,
  REFUSED,
  RETRAINING,
  ROLLBACK,
  unfit,
  type Script,
  scripted,
  VALIDATION,
  WELL,
} from './_scripts.ts';

function run(name: string, ...scripts: readonly Script[]): Promise<Execution> {
  const { input, script } = WELL[name] ?? { input: {}, script: {} };
  return execute(name, input, scripted(script, ...scripts));
}

const OPENING = [
  'Open promotion',
  'Lock taken?',
  'Pull release',
  'Release pulled?',
  'Verify release',
  'Plan comparison',
  'Comparison possible?',
];
const MEASURING = [
  'Build daily partitions',
  'Build daily partition',
  'Build feature partitions',
  'Build feature partition',
  'Build feature partition',
  'Score releases',
  'Score release',
  'Measure comparison',
];
const JUDGING = ['Compare with champion', 'Evaluate gates', 'Champion beaten?'];
const COMMITTING = [
  'Prepare rollback target',
  'Rollback target ready?',
  'Commit promotion',
  'Committed?',
  'Verify serving',
  'Serving verified?',
];
const TO_APPROVAL = [...OPENING, ...MEASURING, ...JUDGING, 'Gates passed?', 'Approvals needed?', 'Request approvals'];

describe('promotion', () => {
  it('promotes the first release without a comparison and without approvals', async () => {
    const { path, status } = await run('promotion', FIRST_RELEASE);
    expect(path).toEqual([...OPENING, ...JUDGING, 'Gates passed?', 'Approvals needed?', ...COMMITTING, 'Promoted']);
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
      [...TO_APPROVAL, 'Approved?', ...COMMITTING.slice(0, 2), 'Rollback target is missing'],
    ],
    ['Commit promotion', REFUSED, [...TO_APPROVAL, 'Approved?', ...COMMITTING.slice(0, 4), 'Commit was refused']],
  ])('ends in a recorded refusal where "%s" refuses', async (state, answer, before) => {
    const { path, status, calls } = await run('promotion', { [state]: answer });
    expect(path).toEqual([...before, 'Refuse promotion', 'Refused']);
    expect(status).toBe('SUCCEEDED');
    expect(calls.at(-1)?.payload).toMatchObject({
      input: { refusal: { rule: 'a-rule' }, promotion: 'promotion-execution' },
    });
  });

  it('is refused for the reason with which the waiting for people was ended', async () => {
    const { path, calls } = await run('promotion', { 'Request approvals': REFUSED });
    expect(path).toEqual([...TO_APPROVAL, 'Approved?', 'Approval was not given', 'Refuse promotion', 'Refused']);
    expect(calls.at(-1)?.payload).toMatchObject({ input: { refusal: REFUSED.refusal } });
  });

  it('is refused when nobody decides in time', async () => {
    const { input, script } = WELL['promotion'] ?? { input: {}, script: {} };
    const { path } = await execute('promotion', input, failing('Request approvals', script, 'States.Timeout'));
    expect(path).toEqual([...TO_APPROVAL, 'Approval expired', 'Refuse promotion', 'Refused']);
  });

  it('waits for the lock, and goes on when it is free', async () => {
    const waiting = { status: 'waiting', promotion: 'p', reason: 'another one is open' };
    const { path } = await run('promotion', {
      ...FIRST_RELEASE,
      'Open promotion': [waiting, waiting, FIRST_RELEASE['Open promotion']],
    });
    const again = ['Open promotion', 'Lock taken?', 'Wait for lock'];
    expect(path.slice(0, 9)).toEqual([...again, ...again, 'Open promotion', 'Lock taken?', 'Pull release']);
    expect(path.at(-1)).toBe('Promoted');
  });

  it('judges what cannot be compared, and passes nothing over', async () => {
    const plan = {
      status: 'insufficient',
      reasons: ['labels are missing'],
      dailyBatches: [],
      featureBatches: [],
      scoreBatches: [],
    };
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
    const { input, script } = WELL['promotion'] ?? { input: {}, script: {} };
    const { path, calls } = await execute('promotion', input, failing('Verify serving', script));
    expect(path.slice(-3)).toEqual(['Verify serving', 'Record failure', 'Failed']);
    expect(calls.map(({ child }) => child)).not.toContain('rollback');
  });

  it('goes on where the fault of the verification passes within a quarter of an hour', async () => {
    const { input, script } = WELL['promotion'] ?? { input: {}, script: {} };
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

describe('rollback', () => {
  const SWITCHED = ['Verify serving', 'Open incident', 'Repair predictions', 'Serving verified?'];

  it('switches first, then proves, tells and repairs', async () => {
    const { path, calls } = await run('rollback');
    expect(path).toEqual(['Choose target', 'Target found?', 'Switch pointer', 'Switched?', ...SWITCHED, 'Rolled back']);
    expect(calls.at(-1)).toMatchObject({
      child: 'batch-inference',
      payload: { model: 'm', run: 'rollback-1-repair', trigger: 'rollback' },
    });
  });

  it('looks again when somebody moved the pointer in between', async () => {
    const chosen = ROLLBACK['Choose target'];
    const { path } = await run('rollback', {
      'Choose target': [chosen, REFUSED],
      'Switch pointer': { status: 'moved' },
    });
    expect(path).toEqual([
      'Choose target',
      'Target found?',
      'Switch pointer',
      'Switched?',
      'Choose target',
      'Target found?',
      'Record refusal',
      'Refused',
    ]);
  });

  it('recognises that it has switched already', async () => {
    const { path } = await run('rollback', {
      'Choose target': { status: 'switched', release: 'sha256:a', version: '0.1.0', from: 'sha256:b', epoch: 2 },
    });
    expect(path).toEqual(['Choose target', 'Target found?', ...SWITCHED, 'Rolled back']);
  });

  it('says so when there is nothing to go back to', async () => {
    const { path, status } = await run('rollback', { 'Choose target': REFUSED });
    expect(path).toEqual(['Choose target', 'Target found?', 'Record refusal', 'Refused']);
    expect(status).toBe('SUCCEEDED');
  });

  it('repairs and fails when what it went back to is not served', async () => {
    const { path, error } = await run('rollback', { 'Verify serving': { status: 'failed', reason: 'damaged' } });
    expect(path.slice(-4)).toEqual(['Open incident', 'Repair predictions', 'Serving verified?', 'Failed']);
    expect(error).toBe('RollbackFailed');
  });
});

describe('confirmation', () => {
  it('confirms what was judged', async () => {
    const { path, status, calls } = await run('confirmation');
    expect(path).toEqual(['Confirm release', 'Release confirmed?', 'Confirmed']);
    expect(status).toBe('SUCCEEDED');
    expect(calls[0]?.payload).toMatchObject({ input: { release: 'sha256:b', epoch: 2, evidence: null } });
  });

  it('ends in a refusal where something else is served by now', async () => {
    const { path, status } = await run('confirmation', { 'Confirm release': REFUSED });
    expect(path).toEqual(['Confirm release', 'Release confirmed?', 'Refused']);
    expect(status).toBe('SUCCEEDED');
  });
});

describe('probation', () => {
  const REVIEW = [
    'Plan review',
    'Anything watched?',
    'Build daily partitions',
    'Build daily partition',
    'Build feature partitions',
    'Build feature partition',
    'Build feature partition',
    'Score shadow',
    'Score release',
    'Measure comparison',
    'Judge release',
    'Verdict reached?',
  ];
  const verdict = (status: string): Script => ({ 'Judge release': { ...PROBATION['Judge release'], status } });

  it('confirms by the machine of confirmations, with the judgement’s reason and evidence', async () => {
    const { path, status, calls } = await run('probation');
    expect(path).toEqual([...REVIEW, 'Confirm release', 'Release confirmed?', 'Confirmed']);
    expect(status).toBe('SUCCEEDED');
    expect(calls.at(-1)).toMatchObject({
      child: 'confirmation',
      payload: {
        confirmation: 'm-probation-2',
        actor: 'pipeline:gates',
        reason: 'better on each day',
        evidence: 'sha256:m',
        release: 'sha256:b',
        epoch: 2,
      },
    });
  });

  it('rolls back by the machine of rollbacks, about the epoch that was judged', async () => {
    const { path, calls } = await run('probation', verdict('roll-back'));
    expect(path).toEqual([...REVIEW, 'Roll back', 'Rolled back?', 'Rolled back']);
    expect(calls.at(-1)).toMatchObject({
      child: 'rollback',
      payload: { rollback: 'm-probation-2', from: 'sha256:b', epoch: 2, reason: 'better on each day' },
    });
  });

  it('acts on nothing while it waits, and where nothing is watched', async () => {
    expect((await run('probation', verdict('wait'))).path).toEqual([...REVIEW, 'Watched']);
    const idle = { 'Plan review': { status: 'idle', reason: 'it is confirmed' } };
    expect((await run('probation', idle)).path).toEqual(['Plan review', 'Anything watched?', 'Skipped']);
  });

  it('says so when something else is served by now', async () => {
    const refused = { Status: 'SUCCEEDED', ExecutionArn: 'arn:child', Output: { outcome: REFUSED } };
    expect((await run('probation', { 'Confirm release': refused })).path.at(-1)).toBe('Superseded');
    const nowhere = { ...refused, Output: { target: REFUSED } };
    expect((await run('probation', verdict('roll-back'), { 'Roll back': nowhere })).path.at(-1)).toBe('Superseded');
  });
});

describe('data quality', () => {
  const PLAN = ['Plan data check', 'Anything to check?'];
  const CHECK = ['Stage data', 'Data staged?', 'Check expectations'];
  const JUDGE = ['Judge data', 'Data accepted?'];

  it('puts what was not looked at before its suites, and judges what they say', async () => {
    const { path, calls } = await run('data-quality');
    expect(path).toEqual([...PLAN, ...CHECK, ...JUDGE, 'Accepted']);
    expect(calls.at(-1)?.payload).toMatchObject({
      input: { plan: { plan: 'sha256:p' }, staged: { staged: 'sha256:s' }, checked: { status: 'checked' } },
    });
  });

  it('has nothing to do where all was looked at, and says so to whoever asked', async () => {
    const nothing = { status: 'nothing', reasons: ['all was looked at'] };
    const { path, document } = await run('data-quality', { 'Plan data check': nothing });
    expect(path).toEqual([...PLAN, 'Nothing to check', 'Left unchecked']);
    expect(document).toMatchObject({
      judgement: { status: 'NOT_APPLICABLE', reasons: ['all was looked at'], evidence: null },
    });
  });

  it('starts no job on data that could not be staged, and refuses it', async () => {
    const { path } = await run('data-quality', {
      'Stage data': { status: 'refused', reasons: ['a hash differs'] },
      'Judge data': { status: 'INCONCLUSIVE', reasons: ['a hash differs'], evidence: 'sha256:e' },
    });
    expect(path).toEqual([...PLAN, 'Stage data', 'Data staged?', ...JUDGE, 'Refused']);
  });
});

describe('drift', () => {
  const CHECK = [
    'Plan drift check',
    'Anything served?',
    'Build daily partitions',
    'Build daily partition',
    'Build feature partitions',
    'Build feature partition',
    'Build feature partition',
    'Measure stability',
    'Measure comparison',
    'Recompute features',
    'Judge drift',
    'Anything found?',
  ];

  it.each([
    ['stable', 'Stable'],
    ['drifted', 'Drifted'],
    ['skewed', 'Skewed'],
    ['insufficient', 'Insufficient'],
    ['something new', 'Insufficient'],
  ])('that is %s ends in %s, and calls no other machine', async (status, ending) => {
    const { path, calls } = await run('drift', { 'Judge drift': { status, inputs: status, reason: 'numbers' } });
    expect(path).toEqual([...CHECK, ending]);
    expect(calls.filter(({ child }) => child !== undefined)).toEqual([]);
  });

  it('judges what was planned, by what was measured', async () => {
    const { calls } = await run('drift');
    expect(calls.at(-1)).toMatchObject({
      state: 'Judge drift',
      payload: {
        input: {
          model: 'm',
          plan: { release: 'sha256:b' },
          stability: { measure: 'sha256:s' },
          measured: { comparisons: [{ slice: 'live' }] },
          parity: { days: ['2001-04-20'] },
        },
      },
    });
  });

  it('checks nothing where nothing is served', async () => {
    const idle = { 'Plan drift check': { status: 'idle', reason: 'nothing is in production here' } };
    expect((await run('drift', idle)).path).toEqual(['Plan drift check', 'Anything served?', 'Left unchecked']);
  });
});

describe('retraining', () => {
  const BUILDING = [
    'Build daily partitions',
    'Build daily partition',
    'Build feature partitions',
    'Build feature partition',
    'Validate data',
    'Data valid?',
  ];
  const START = ['Open retraining run', 'Plan windows', 'Windows planned?'];
  const WINDOW = ['Export training rows', 'Rows exported?', 'Train window'];

  it('trains every window and hands the candidates to the validation', async () => {
    const { path, calls } = await run('retraining');
    expect(path).toEqual([
      ...START,
      ...BUILDING,
      'Train windows',
      ...WINDOW,
      ...WINDOW,
      ...WINDOW,
      'Package candidates',
      'Anything trained?',
      'Register candidate',
      'Validate candidates',
      'Concluded',
    ]);
    expect(calls.at(-1)).toMatchObject({
      child: 'validation',
      payload: { model: 'm', run: 'run-1', asOf: '2001-05-01', candidates: [{ release: 'sha256:r' }] },
    });
    const packaged = calls.find(({ state }) => state === 'Package candidates');
    expect(packaged?.payload).toMatchObject({
      input: { windows: [{ window: 'short', export: { rows: 100 }, training: { status: 'trained' } }, {}, {}] },
    });
  });

  it('rejects a run that cannot be planned', async () => {
    const planned = { status: 'refused', reasons: ['a gap'], dailyBatches: [], featureBatches: [], windows: [] };
    const { path, status } = await run('retraining', { 'Plan windows': planned });
    expect(path).toEqual([...START, 'Reject run', 'Rejected']);
    expect(status).toBe('SUCCEEDED');
  });

  it.each(['FAIL', 'INCONCLUSIVE'])('trains nothing on data that is %s', async (verdict) => {
    const { path, calls } = await run('retraining', { 'Validate data': unfit(verdict) });
    expect(path).toEqual([...START, ...BUILDING, 'Reject unfit data', 'Rejected']);
    expect(calls.at(-1)?.payload).toMatchObject({ input: { reasons: ['half of it is missing'] } });
  });

  it('trains on what the policy has no rules for', async () => {
    expect((await run('retraining', { 'Validate data': unfit('NOT_APPLICABLE') })).path).toContain('Train window');
  });

  it('leaves out a window whose rows are refused, and goes on with the others', async () => {
    const exported = RETRAINING['Export training rows'];
    const { path, calls } = await run('retraining', {
      'Export training rows': [{ status: 'refused', reason: 'no labels' }, exported, exported],
    });
    expect(path.filter((state) => state === 'Train window')).toHaveLength(2);
    expect(path).toContain('Left out');
    expect(calls.find(({ state }) => state === 'Package candidates')?.payload).toMatchObject({
      input: { windows: [{ export: { reason: 'no labels' } }, { training: {} }, { training: {} }] },
    });
  });

  it('rejects a run of which nothing was trained', async () => {
    const { path } = await run('retraining', {
      'Train window': { status: 'failed', reason: 'out of memory' },
      'Package candidates': { status: 'nothing', candidates: [], baseline: null, reasons: ['short: out of memory'] },
    });
    expect(path.slice(-4)).toEqual(['Package candidates', 'Anything trained?', 'Reject untrained run', 'Rejected']);
  });
});

describe('validation', () => {
  const MEASURED = ['Plan validation', 'Comparison possible?', ...MEASURING, 'Evaluate gates', 'Plan reports'];
  const REPORTED = [
    'Write reports',
    'Measure stability',
    'Explain release',
    'Write report',
    'Attach report',
    'Improvement proven?',
  ];

  it.each([
    ['PASS', 'Offer release', 'Offered'],
    ['FAIL', 'Reject candidates', 'Rejected'],
    ['INCONCLUSIVE', 'Hold as inconclusive', 'Held'],
  ])('on %s comes to "%s"', async (verdict, act, ending) => {
    const gates = { ...VALIDATION['Evaluate gates'], verdict };
    const { path, status, calls } = await run('validation', { 'Evaluate gates': gates });
    expect(path).toEqual([...MEASURED, ...REPORTED, act, ending]);
    expect(status).toBe('SUCCEEDED');
    const attached = calls.find(({ state }) => state === 'Attach report');
    expect(attached?.payload).toMatchObject({
      input: { model: 'm', run: 'run-1', release: 'sha256:r', html: 'sha256:h', json: 'sha256:j' },
    });
  });

  it('reports nothing of what was not measured, and goes on', async () => {
    const { path } = await run('validation', { 'Plan reports': { status: 'nothing', reports: [] } });
    expect(path).toEqual([...MEASURED, 'Write reports', 'Improvement proven?', 'Offer release', 'Offered']);
  });

  it('holds what was judged inconclusive for want of a measurement', async () => {
    const { path } = await run('validation', {
      'Evaluate gates': { verdict: 'INCONCLUSIVE', reasons: ['nothing measured'] },
    });
    expect(path.slice(-2)).toEqual(['Hold as inconclusive', 'Held']);
  });

  it('holds what cannot be measured', async () => {
    const plan = { status: 'insufficient', champion: 'sha256:c', reasons: ['no partitions'], dailyBatches: [] };
    const { path, calls } = await run('validation', { 'Plan validation': plan });
    expect(path).toEqual(['Plan validation', 'Comparison possible?', 'Hold unmeasured', 'Held']);
    expect(calls.at(-1)?.payload).toMatchObject({ input: { reasons: ['no partitions'], run: 'run-1' } });
  });
});

describe('batch-inference', () => {
  it('does nothing where nothing is to be done', async () => {
    const plan = { status: 'planned', kind: 'none', dailyBatches: [], featureBatches: [], scoreBatches: [] };
    const { path } = await run('batch-inference', { 'Plan reconciliation': plan });
    expect(path).toEqual(['Plan reconciliation', 'Work to do?', 'Report idle run', 'Asked again?', 'Reported']);
  });

  it.each(['partial', 'full'])('builds, scores and publishes a %s reconciliation', async (kind) => {
    const plan = { ...BATCH['Plan reconciliation'], kind };
    const { path } = await run('batch-inference', { 'Plan reconciliation': plan });
    expect(path).toEqual([
      'Plan reconciliation',
      'Work to do?',
      'Many partitions?',
      ...MEASURING.slice(0, 5),
      'Score partitions',
      'Score partition',
      'Rows to publish?',
      'Publish rows of partitions',
      'Publish rows',
      'Publish predictions',
      'Report run',
      'Asked again?',
      'Reported',
    ]);
  });

  it('does the same at a larger scale, by a Distributed Map that tolerates no failure', async () => {
    const plan = { ...BATCH['Plan reconciliation'], kind: 'full', scale: 'distributed' };
    const { path } = await run('batch-inference', { 'Plan reconciliation': plan });
    expect(path.slice(2, 6)).toEqual([
      'Many partitions?',
      'Build daily shards',
      'Build daily shard',
      'Build feature shards',
    ]);
    expect(path.slice(-8, -4)).toEqual([
      'Score shard',
      'Rows to publish?',
      'Publish rows of partitions',
      'Publish rows',
    ]);
    expect(path.slice(-4)).toEqual(['Publish predictions', 'Report run', 'Asked again?', 'Reported']);
    const { States } = machine('batch-inference');
    for (const [small, large] of [
      ['Build daily partitions', 'Build daily shards'],
      ['Build feature partitions', 'Build feature shards'],
      ['Score partitions', 'Score shards'],
    ] as const) {
      const [one, many] = [States[small], States[large]];
      if (one?.Type !== 'Map' || many?.Type !== 'Map') throw new Error(`${small} and ${large} are Maps`);
      expect(Object.values(many.ItemProcessor.States)).toEqual(Object.values(one.ItemProcessor.States));
      expect({ from: many.ItemsPath, caught: many.Catch }).toEqual({ from: one.ItemsPath, caught: one.Catch });
      expect(many).toMatchObject({ ToleratedFailurePercentage: 0, MaxConcurrency: 4 });
    }
  });

  it('goes round once more for what was asked while it was at work', async () => {
    const { path } = await run('batch-inference', { 'Report run': [{ status: 'again' }, { status: 'reported' }] });
    expect(path.filter((state) => state === 'Plan reconciliation')).toHaveLength(2);
    expect(path.at(-1)).toBe('Reported');
  });
});
