import { describe, expect, it } from 'vitest';
import { RETRAINING, unfit } from '../_scripts.ts';
import { run } from './_run.ts';

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
    const planned = {
      status: 'refused',
      reasons: ['a gap'],
      dailyBatches: [],
      featureBatches: [],
      windows: [],
    } as const;
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
