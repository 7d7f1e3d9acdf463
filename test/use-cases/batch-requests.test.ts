import { beforeEach, describe, expect, it } from 'vitest';
import { requestReconciliation } from '#use-cases/inference/request-reconciliation.ts';
import { hours, MODEL, world } from './_environments.ts';
import { here, prod, begin, batch } from './_batch-inference.ts';

beforeEach(begin);

describe('asking for a batch run', () => {
  const ask = (own = prod) => requestReconciliation(own)({ model: MODEL, trigger: 'PARTITION_ADMITTED' });
  const runs = () =>
    [...prod.machines.started].filter(([, { machine }]) => machine === 'batch-inference').map(([name]) => name);

  it('does nothing while nothing is served', async () => {
    const fresh = world().environment('prod');
    expect(await ask(fresh)).toEqual({ status: 'nothing-served' });
    expect(fresh.machines.started.size).toBe(0);
  });

  it('a hundred times at once starts one run, which goes round once more for what came while it ran', async () => {
    await Promise.all(Array.from({ length: 100 }, () => ask()));
    expect(runs()).toEqual([`${MODEL}-batch-1`]);
    let asked = 0;
    const before = async (state: string): Promise<void> => {
      if (state === 'Publish predictions' && asked === 0) {
        asked += 1;
        expect(await ask()).toMatchObject({ status: 'left-word' });
      }
    };
    const { path } = await batch(`${MODEL}-batch-1`, { before });
    expect(path.filter((state) => state === 'Plan reconciliation')).toHaveLength(2);
    expect(runs()).toHaveLength(1);
    expect(await ask()).toMatchObject({ status: 'started' });
    expect(runs()).toHaveLength(2);
  });

  it('starts another run when the one that is entered has not ended for hours', async () => {
    await ask();
    here.clock.at += hours(1);
    expect(await ask()).toMatchObject({ status: 'left-word' });
    here.clock.at += hours(2);
    expect(await ask()).toMatchObject({ status: 'started' });
    expect(runs()).toHaveLength(2);
  });

  it('enters no run that could not be started', async () => {
    const machines = { ...prod.machines, start: () => Promise.reject(new Error('throttled')) };
    await expect(requestReconciliation({ ...prod, machines })({ model: MODEL, trigger: 'schedule' })).rejects.toThrow(
      'throttled',
    );
    expect(await ask()).toMatchObject({ status: 'started' });
  });
});
