import { describe, expect, it } from 'vitest';
import { machine } from '#local/statemachines/machines.ts';
import { BATCH } from '../_scripts.ts';
import { MEASURING, run } from './_run.ts';

describe('batch-inference', () => {
  it('does nothing where nothing is to be done', async () => {
    const plan = { ...BATCH['Plan reconciliation'], kind: 'none' } as const;
    const { path } = await run('batch-inference', { 'Plan reconciliation': plan });
    expect(path).toEqual(['Plan reconciliation', 'Work to do?', 'Report idle run', 'Asked again?', 'Reported']);
  });

  it.each(['partial', 'full'] as const)('builds, scores and publishes a %s reconciliation', async (kind) => {
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
    const plan = { ...BATCH['Plan reconciliation'], kind: 'full', scale: 'distributed' } as const;
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
    const { path } = await run('batch-inference', {
      'Report run': [{ ...BATCH['Report run'], status: 'again' }, BATCH['Report run']],
    });
    expect(path.filter((state) => state === 'Plan reconciliation')).toHaveLength(2);
    expect(path.at(-1)).toBe('Reported');
  });
});
