import { describe, expect, it } from 'vitest';
import { REFUSED } from '../_scripts.ts';
import { run } from './_run.ts';

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
