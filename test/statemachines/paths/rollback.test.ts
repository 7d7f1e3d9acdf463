import { describe, expect, it } from 'vitest';
import { REFUSED, ROLLBACK_VERIFICATION } from '../_scripts.ts';
import { run } from './_run.ts';

describe('rollback', () => {
  const SWITCHED = ['Verify serving', 'Open incident', 'Repair predictions', 'Serving verified?'];

  it('switches first, then proves, tells and repairs', async () => {
    const { path, calls } = await run('rollback');
    expect(path).toEqual(['Switch pointer', 'Switched?', ...SWITCHED, 'Rolled back']);
    expect(calls.at(-1)).toMatchObject({
      child: 'batch-inference',
      payload: { model: 'm', run: 'rollback-1-repair', trigger: 'rollback' },
    });
  });

  it('says so when there is nothing to go back to', async () => {
    const { path, status } = await run('rollback', { 'Switch pointer': REFUSED });
    expect(path).toEqual(['Switch pointer', 'Switched?', 'Record refusal', 'Refused']);
    expect(status).toBe('SUCCEEDED');
  });

  it('repairs and fails when what it went back to is not served', async () => {
    const { path, error } = await run('rollback', { 'Verify serving': { status: 'failed', reason: 'damaged' } });
    expect(path.slice(-4)).toEqual(['Open incident', 'Repair predictions', 'Serving verified?', 'Failed']);
    expect(error).toBe('RollbackFailed');
  });
});

describe('the verification of a rollback', () => {
  const PROBED = [
    'Wait before probing',
    'Probe endpoint',
    'Wait between probes',
    'Probe endpoint again',
    'Judge probes',
    'Endpoint answers?',
  ];
  const CHECKED = ['Check request log', 'Request log closed?'];
  const ENDED = ['Verify rollback', 'Rollback verified?'];

  it('sends two probes, reads the request log, and says what became of it', async () => {
    const { path } = await run('rollback-verification');
    expect(path).toEqual([...PROBED, ...CHECKED, ...ENDED, 'Verified']);
  });

  it('probes again while the release that was rolled back may still answer', async () => {
    const judged = ROLLBACK_VERIFICATION['Judge probes'];
    const { path } = await run('rollback-verification', {
      'Judge probes': [{ ...judged, status: 'pending', found: 'the old one answers' }, judged],
    });
    expect(path).toEqual([...PROBED, ...PROBED, ...CHECKED, ...ENDED, 'Verified']);
  });

  it('waits until the request log is whole', async () => {
    const { path } = await run('rollback-verification', {
      'Check request log': [
        { status: 'open', stale: 0, reason: '' },
        { status: 'checked', stale: 0, reason: '' },
      ],
    });
    expect(path).toEqual([...PROBED, ...CHECKED, 'Wait for request log', ...CHECKED, ...ENDED, 'Verified']);
  });

  it.each(['partial', 'unable', 'none'] as const)('looks at the request log where probes are %s', async (status) => {
    const judged = { ...ROLLBACK_VERIFICATION['Judge probes'], status };
    expect((await run('rollback-verification', { 'Judge probes': judged })).path).toContain('Check request log');
  });

  it.each(['PARTIAL', 'UNABLE'] as const)('fails, and so is seen, where it is %s', async (status) => {
    const verdict = { status, found: 'the old one answers' };
    const { path, status: end } = await run('rollback-verification', { 'Verify rollback': verdict });
    expect(path.slice(-2)).toEqual(['Rollback verified?', 'Failed']);
    expect(end).toBe('FAILED');
  });
});
