import { describe, expect, it } from 'vitest';
import { REFUSED, ROLLBACK } from '../_scripts.ts';
import { run } from './_run.ts';

describe('rollback', () => {
  const PROBED = [
    'Wait before probing',
    'Probe endpoint',
    'Wait between probes',
    'Probe endpoint again',
    'Judge probes',
    'Endpoint answers?',
  ];
  const CHECKED = ['Check request log', 'Request log closed?'];
  const BEGUN = ['Switch pointer', 'Switched?', 'Verify serving', 'Open incident'];
  const ENDED = ['Verify rollback', 'Rollback verified?'];

  it('switches first, then tells, proves who answers, and repairs', async () => {
    const { path, calls } = await run('rollback');
    expect(path).toEqual([...BEGUN, ...PROBED, 'Repair predictions', ...CHECKED, ...ENDED, 'Rolled back']);
    expect(calls.find(({ child }) => child !== undefined)).toMatchObject({
      child: 'batch-inference',
      payload: { model: 'm', run: 'rollback-1-repair', trigger: 'rollback' },
    });
  });

  it('probes again while the release that was rolled back may still answer', async () => {
    const judged = ROLLBACK['Judge probes'];
    const { path } = await run('rollback', {
      'Judge probes': [{ ...judged, status: 'pending', found: 'the old one answers' }, judged],
    });
    expect(path).toEqual([...BEGUN, ...PROBED, ...PROBED, 'Repair predictions', ...CHECKED, ...ENDED, 'Rolled back']);
  });

  it('waits until the request log is whole', async () => {
    const { path } = await run('rollback', {
      'Check request log': [
        { status: 'open', stale: 0 },
        { status: 'checked', stale: 0 },
      ],
    });
    const waited = [...CHECKED, 'Wait for request log', ...CHECKED];
    expect(path).toEqual([...BEGUN, ...PROBED, 'Repair predictions', ...waited, ...ENDED, 'Rolled back']);
  });

  it.each(['partial', 'unable', 'none'] as const)('repairs predictions where probes are %s', async (status) => {
    const { path } = await run('rollback', { 'Judge probes': { ...ROLLBACK['Judge probes'], status } });
    expect(path).toContain('Repair predictions');
  });

  it.each(['PARTIAL', 'UNABLE'] as const)('fails, and so is seen, where it is %s', async (status) => {
    const { path, status: end } = await run('rollback', {
      'Verify rollback': { status, found: 'the old one answers' },
    });
    expect(path.slice(-2)).toEqual(['Rollback verified?', 'Failed']);
    expect(end).toBe('FAILED');
  });

  it('says so when there is nothing to go back to', async () => {
    const { path, status } = await run('rollback', { 'Switch pointer': REFUSED });
    expect(path).toEqual(['Switch pointer', 'Switched?', 'Record refusal', 'Refused']);
    expect(status).toBe('SUCCEEDED');
  });
});
