import { describe, expect, it } from 'vitest';
import { REFUSED, ROLLBACK } from '../_scripts.ts';
import { run } from './_run.ts';

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
