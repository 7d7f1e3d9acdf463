import { z } from 'zod';
import { Digest } from '#domain/canonical/digest.ts';
import { confirmedReleases } from '#domain/promotion/pointer.ts';
import type { ArtifactStore } from '#ports/artifact-store.ts';
import type { ReadableLedger } from '#ports/ledger.ts';
import { readPointer } from '#read-model/pointer.ts';
import { planSourceData } from '#use-cases/rollback-readiness/plan-source-data.ts';
import { contract, type Task } from '#use-cases/task.ts';

export const PlanRollbackTarget = contract({
  input: z.object({ model: z.string() }),
  /** What is to be checked before the commit; both are null where nothing was confirmed before. */
  output: z.object({ release: Digest.nullable(), data: Digest.nullable() }),
});

/** Says which release a rollback of the promotion would go to: the champion if it is confirmed, and never one on probation. */
export function planRollbackTarget(deps: { readonly ledger: ReadableLedger; readonly documents: ArtifactStore }): Task {
  return PlanRollbackTarget.task(async ({ model }) => {
    const [target] = confirmedReleases(await readPointer(deps.ledger, model));
    if (target === undefined) return { release: null, data: null };
    return { release: target.release, data: await planSourceData(deps, model) };
  });
}
