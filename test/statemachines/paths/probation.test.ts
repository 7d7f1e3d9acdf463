import { describe, expect, it } from 'vitest';
import { PROBATION, REFUSED } from '../_scripts.ts';
import { run } from './_run.ts';

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
    'Measure answers',
    'Judge release',
    'Verdict reached?',
  ];
  const verdict = (status: 'roll-back' | 'wait') => ({ 'Judge release': { ...PROBATION['Judge release'], status } });

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
    const idle = { 'Plan review': { status: 'idle', reason: 'it is confirmed' } } as const;
    expect((await run('probation', idle)).path).toEqual(['Plan review', 'Anything watched?', 'Skipped']);
  });

  it('says so when something else is served by now', async () => {
    const refused = { Status: 'SUCCEEDED', ExecutionArn: 'arn:child', Output: { outcome: REFUSED } };
    expect((await run('probation', { 'Confirm release': refused })).path.at(-1)).toBe('Superseded');
    const nowhere = { ...refused, Output: { target: REFUSED } };
    expect((await run('probation', verdict('roll-back'), { 'Roll back': nowhere })).path.at(-1)).toBe('Superseded');
  });
});
