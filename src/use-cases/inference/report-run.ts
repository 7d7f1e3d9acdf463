import { z } from 'zod';
import { fitting } from '#domain/audit/fitting.ts';
import { Digest } from '#domain/canonical/digest.ts';
import { GatehouseError } from '#domain/error.ts';
import type { Item } from '#domain/ledger/item.ts';
import { keys } from '#domain/ledger/keys.ts';
import { operationName, type Recording, recordChange } from '#use-cases/audit/record-change.ts';
import { type Task, task } from '#use-cases/task.ts';
import { changeFence } from './fence.ts';
import { writeUnaudited } from '#use-cases/audit/write-unaudited.ts';

const Parameters = z.object({
  model: z.string(),
  run: z.string(),
  trigger: z.string(),
  planned: z.object({
    status: z.string(),
    kind: z.enum(['none', 'partial', 'full']),
    release: Digest.optional(),
    epoch: z.int().optional(),
    requested: z.int().optional(),
    startedAt: z.iso.datetime().optional(),
    waiting: z.int().optional(),
  }),
  publication: z
    .object({
      status: z.string(),
      published: z.int().optional(),
      rows: z.int().optional(),
      carried: z.int().optional(),
      unscored: z.array(z.string()).optional(),
    })
    .optional(),
  /** What each batch of rows for look-up came to, where the model has them. */
  lookup: z.array(z.object({ unpublished: z.int(), examples: z.array(z.string()) })).default([]),
});

/** Writes down how a run ended, also when there was nothing to do, and says whether something was asked for while it ran. */
export function reportRun(deps: Recording): Task {
  return task(Parameters, async ({ model, run, trigger, planned, publication, lookup }) => {
    const now = deps.clock.now().toISOString();
    const { release = null, epoch = 0, requested = 0, kind } = planned;
    const status = publication?.status ?? planned.status;
    const counts = {
      published: publication?.published ?? 0,
      rows: publication?.rows ?? 0,
      carried: publication?.carried ?? 0,
      unscored: publication?.unscored ?? [],
      waiting: planned.waiting ?? 0,
      unpublished: lookup.reduce((sum, { unpublished }) => sum + unpublished, 0),
    };
    if (counts.unpublished > 0) await tellUnpublished(deps, { model, run, requested }, counts.unpublished, lookup);
    const item: Item = {
      ...keys.run(model, run),
      model,
      run,
      machine: 'batch-inference',
      trigger,
      status,
      kind,
      release,
      startedAt: planned.startedAt ?? now,
      endedAt: now,
      ...counts,
    };
    if (publication === undefined && release !== null) {
      // The record of a run that published stands in the transaction of its flips; a run that found nothing to do says so here.
      const result = await recordChange(deps, {
        model,
        operation: operationName('none', run, requested),
        writes: [{ kind: 'put', item }],
        event: {
          code: 'PREDICTIONS_PUBLISHED',
          actor: 'pipeline:reconciliation',
          release,
          details: { run, kind, part: 1, parts: 1, partitions: 0, rows: 0, manifest: null, epoch },
        },
      });
      if (result.kind === 'refused')
        throw new GatehouseError('RUN_NOT_RECORDED', `run ${run} could not be recorded`, { model, run });
    } else {
      await writeUnaudited(deps.ledger, [{ kind: 'put', item }], operationName('r', run, now));
    }
    const fence = await changeFence(deps.ledger, model, (before) => {
      const isDone = before.running === run && before.requested <= requested;
      return isDone ? { ...before, running: null, startedAt: null } : before;
    });
    return { status: fence.running === run ? 'again' : 'reported', run: status, ...counts };
  });
}

/** Says in the chain, and so to people, that rows of published partitions cannot be looked up, and why. */
async function tellUnpublished(
  deps: Recording,
  { model, run, requested }: { readonly model: string; readonly run: string; readonly requested: number },
  rows: number,
  lookup: readonly { readonly examples: readonly string[] }[],
): Promise<void> {
  const examples = lookup.flatMap((each) => each.examples);
  await recordChange(deps, {
    model,
    operation: operationName('unpublished', run, requested),
    writes: [],
    event: {
      code: 'ROWS_NOT_PUBLISHED',
      actor: 'pipeline:reconciliation',
      release: null,
      details: { run, rows, examples: fitting(examples, 4, 1200) },
    },
  });
}
