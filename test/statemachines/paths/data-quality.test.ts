import { describe, expect, it } from 'vitest';
import { run } from './_run.ts';

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
    const nothing = { status: 'nothing', reasons: ['all was looked at'] } as const;
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
