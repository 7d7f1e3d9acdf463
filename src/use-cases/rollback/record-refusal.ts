import { z } from 'zod';
import { Refusal } from '#domain/refusal/refusal.ts';
import { operationName, type Recording, recordChange } from '#use-cases/audit/record-change.ts';
import { contract, Refused, type Task } from '#use-cases/task.ts';

export const RecordRefusal = contract({
  input: z.object({ model: z.string(), rollback: z.string(), refusal: Refusal }),
  output: Refused,
});

/** Records that a rollback could not be done, and why. */
export function recordRefusal(deps: Recording): Task {
  return RecordRefusal.task(async ({ model, rollback, refusal }) => {
    await recordChange(deps, {
      model,
      operation: operationName('refused', rollback),
      writes: [],
      event: {
        code: 'ROLLBACK_REFUSED',
        actor: 'pipeline:release',
        release: null,
        details: { rollback, rule: refusal.rule, found: refusal.found },
      },
    });
    return { status: 'refused', refusal };
  });
}
