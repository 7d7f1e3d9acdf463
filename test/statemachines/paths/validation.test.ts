import { describe, expect, it } from 'vitest';
import { nothingPlanned } from '#use-cases/data/plan-comparison.ts';
import { VALIDATION } from '../_scripts.ts';
import { MEASURING, run } from './_run.ts';

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
  ] as const)('on %s comes to "%s"', async (verdict, act, ending) => {
    const { improvement: _proof, ...unproven } = VALIDATION['Evaluate gates'];
    const gates = verdict === 'PASS' ? VALIDATION['Evaluate gates'] : { ...unproven, verdict };
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
    const plan = { status: 'insufficient', champion: 'sha256:c', ...nothingPlanned(['no partitions']) } as const;
    const { path, calls } = await run('validation', { 'Plan validation': plan });
    expect(path).toEqual(['Plan validation', 'Comparison possible?', 'Hold unmeasured', 'Held']);
    expect(calls.at(-1)?.payload).toMatchObject({ input: { reasons: ['no partitions'], run: 'run-1' } });
  });
});
