import { z } from 'zod';
import { truncated } from '#domain/audit/truncated.ts';
import { findRunItem } from '#read-model/runs.ts';
import { CaughtError, contract, type Task } from '#use-cases/task.ts';
import { equals, textOf } from '#domain/ledger/item.ts';
import { keys } from '#domain/ledger/keys.ts';
import { leaveFence } from '#use-cases/inference/fence.ts';
import { type ChangeResult, operationName, type Recording, recordChange } from '#use-cases/audit/record-change.ts';

export const RecordRunFailure = contract({
  input: z.object({ machine: z.string(), model: z.string(), run: z.string(), error: CaughtError }),
  output: z.object({ status: z.literal('failed') }),
});

/** Ends a run that met a fault: the error is in the chain, once, and people are told. */
export function recordRunFailure(deps: Recording): Task {
  return RecordRunFailure.task(async ({ machine, model, run, error }) => {
    await failRun(deps, {
      machine,
      model,
      run,
      actor: `pipeline:${machine}`,
      state: error.Error ?? 'fault',
      error: error.Cause ?? 'no cause was given',
    });
    return { status: 'failed' };
  });
}

/** Writes down that a run failed, in its record where it has one, and in the chain: once, whoever says so first. */
export async function failRun(
  deps: Recording,
  failure: { machine: string; model: string; run: string; actor: string; state: string; error: string },
): Promise<ChangeResult['kind']> {
  const { machine, model, run, actor, state } = failure;
  const key = keys.run(model, run);
  const item = await findRunItem(deps.ledger, model, run);
  const ended = { ...key, ...item, status: 'failed', endedAt: deps.clock.now().toISOString() };
  const result = await recordChange(deps, {
    model,
    operation: operationName('failed', machine, run),
    writes:
      item === undefined ? [] : [{ kind: 'put', item: ended, condition: equals({ status: textOf(item, 'status') }) }],
    event: {
      code: 'RUN_FAILED',
      actor,
      release: null,
      details: { machine, run, state, error: truncated([failure.error], 1, 1200).join('') },
    },
  });
  // The run's record was changed since it was read: what it says now is what ends.
  if (result.kind === 'refused') return failRun(deps, failure);
  // Otherwise the next request would wait for a run that is dead.
  if (machine === 'batch-inference') await leaveFence(deps.ledger, model, run);
  return result.kind;
}
