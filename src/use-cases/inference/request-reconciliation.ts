import { z } from 'zod';
import { Fence } from '#domain/prediction/manifest.ts';
import type { Clock } from '#ports/clock.ts';
import type { Ledger } from '#ports/ledger.ts';
import type { StateMachines } from '#ports/state-machines.ts';
import { readPointer } from '#read-model/pointer.ts';
import { contract, type Task } from '#use-cases/task.ts';
import { changeFence, leaveFence } from './fence.ts';

export const RequestReconciliation = contract({
  input: z.object({ model: z.string(), trigger: z.string() }),
  output: z.discriminatedUnion('status', [
    z.object({ status: z.literal('nothing-served') }),
    /** The run that is at work, and goes round once more. */
    z.object({ status: z.literal('left-word'), running: Fence.shape.running }),
    z.object({ status: z.enum(['started', 'already-started']), run: z.string() }),
  ]),
});

/** After this long a run that has not ended is taken for dead, and another one may start. */
const RUN_HOURS = 2;

/**
 * Asks for a batch run: new data, a moved pointer, or the clock. While one is running it only leaves word, which makes
 * that run go round once more; so a hundred new partitions are a run or two, not a hundred.
 */
export function requestReconciliation(deps: {
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly machines: StateMachines;
}): Task {
  return RequestReconciliation.task(async ({ model, trigger }) => {
    if ((await readPointer(deps.ledger, model)) === undefined) return { status: 'nothing-served' };
    const now = deps.clock.now();
    const fence = await changeFence(deps.ledger, model, (before) => {
      const requested = before.requested + 1;
      const isRunning =
        before.running !== null && now.getTime() - Date.parse(before.startedAt ?? '') < RUN_HOURS * 3_600_000;
      // The run is entered before it is started, so that of a hundred requests at once one starts it.
      return isRunning
        ? { ...before, requested }
        : { ...before, requested, running: `${model}-batch-${requested}`, startedAt: now.toISOString() };
    });
    const run = `${model}-batch-${fence.requested}`;
    if (fence.running !== run) return { status: 'left-word', running: fence.running };
    try {
      return { status: await deps.machines.start('batch-inference', run, { model, run, trigger }), run };
    } catch (error) {
      await leaveFence(deps.ledger, model, run);
      throw error;
    }
  });
}
