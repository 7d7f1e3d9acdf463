import { z } from 'zod';
import { Digest } from '#domain/canonical/digest.ts';
import { rollBack, whyNotAttributed } from '#domain/promotion/rollback.ts';
import { SeenText } from '#domain/text.ts';
import { readPointer } from '#read-model/pointer.ts';
import { type Recording, recordChange } from '#use-cases/audit/record-change.ts';
import { contract, type Task } from '#use-cases/task.ts';
import { switchOperation } from './choose-target.ts';

export const SwitchPointer = contract({
  input: z.object({
    model: z.string(),
    rollback: z.string(),
    actor: SeenText.min(1).max(200),
    reason: SeenText.min(1).max(500),
    target: z.object({ release: Digest, version: z.string(), from: Digest, epoch: z.int().min(1) }),
  }),
  output: z.object({ status: z.enum(['switched', 'moved']) }),
});

/**
 * Switches the pointer back and quarantines what it named, in one transaction. All that it needs stands on the pointer:
 * one read of it, and what recording a change takes.
 */
export function switchPointer(deps: Recording): Task {
  return SwitchPointer.task(async ({ model, rollback, actor, reason, target }) => {
    const pointer = await readPointer(deps.ledger, model);
    if (pointer === undefined || whyNotAttributed(pointer, target) !== undefined) return { status: 'moved' };
    if (pointer.lastConfirmed?.release !== target.release) return { status: 'moved' };
    const { writes, event } = rollBack(pointer, target, { id: rollback, actor, reason, now: deps.clock.now() });
    const result = await recordChange(deps, { model, operation: switchOperation(rollback), writes, event });
    return { status: result.kind === 'refused' ? 'moved' : 'switched' };
  });
}
