import { z } from 'zod';
import { type Task, task } from '#use-cases/task.ts';
import { equals, textOf } from '#domain/ledger/item.ts';
import { keys } from '#domain/ledger/keys.ts';
import { leaveFence } from '#use-cases/inference/fence.ts';
import { operationName, type Recording, recordChange } from './record-change.ts';

const Parameters = z.object({
  machine: z.string(),
  model: z.string(),
  run: z.string(),
  error: z.object({ Error: z.string().optional(), Cause: z.string().optional() }),
});

/** Ends a run that met a fault: the error is in the chain, once, and people are told. */
export function recordRunFailure(deps: Recording): Task {
  return task(Parameters, async ({ machine, model, run, error }) => {
    const key = keys.run(model, run);
    const item = await deps.ledger.get(key);
    const ended = { ...key, ...item, status: 'failed', endedAt: deps.clock.now().toISOString() };
    await recordChange(deps, {
      model,
      operation: operationName('failed', machine, run),
      writes:
        item === undefined ? [] : [{ kind: 'put', item: ended, condition: equals({ status: textOf(item, 'status') }) }],
      event: {
        code: 'RUN_FAILED',
        actor: `pipeline:${machine}`,
        release: null,
        details: {
          machine,
          run,
          state: error.Error ?? 'fault',
          error: (error.Cause ?? 'no cause was given').slice(0, 600),
        },
      },
    });
    if (machine === 'batch-inference') await leaveFence(deps.ledger, model, run);
    return { status: 'failed' };
  });
}
