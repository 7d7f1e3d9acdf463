import { describe, expect, it } from 'vitest';
import { DRIFT } from '../_scripts.ts';
import { run } from './_run.ts';

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
    'Measure answers',
    'Judge drift',
    'Anything found?',
  ];

  it.each([
    ['stable', 'Stable'],
    ['drifted', 'Drifted'],
    ['skewed', 'Skewed'],
    ['insufficient', 'Insufficient'],
  ] as const)('that is %s ends in %s, and calls no other machine', async (status, ending) => {
    const { path, calls } = await run('drift', {
      'Judge drift': { ...DRIFT['Judge drift'], status },
    });
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
    const idle = { 'Plan drift check': { status: 'idle', reason: 'nothing is in production here' } } as const;
    expect((await run('drift', idle)).path).toEqual(['Plan drift check', 'Anything served?', 'Left unchecked']);
  });
});
