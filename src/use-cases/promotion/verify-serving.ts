import { z } from 'zod';
import { truncated } from '#domain/audit/truncated.ts';
import { Digest } from '#domain/canonical/digest.ts';
import type { ArtifactStore } from '#ports/artifact-store.ts';
import { readPointer } from '#read-model/pointer.ts';
import { isQuarantined } from '#read-model/quarantines.ts';
import { messageOf } from '#use-cases/each.ts';
import { operationName, type Recording, recordChange } from '#use-cases/audit/record-change.ts';
import { contract, type Task } from '#use-cases/task.ts';
import { whyNotWhole } from '#use-cases/verification/whole-release.ts';

export const VerifyServing = contract({
  input: z.object({ model: z.string(), release: Digest, promotion: z.string().exactOptional() }),
  output: z.discriminatedUnion('status', [
    z.object({ status: z.literal('verified') }),
    z.object({ status: z.literal('failed'), reason: z.string() }),
  ]),
});

/** Looks again, after the pointer was switched: it names the release, which is whole here and not quarantined. */
export function verifyServing(deps: Recording & { readonly own: ArtifactStore }): Task {
  return VerifyServing.task(async ({ model, release, promotion }) => {
    const pointer = await readPointer(deps.ledger, model);
    const found: string[] = [];
    if (pointer?.current !== release) found.push(`the pointer names ${pointer?.version ?? 'nothing'}`);
    if (await isQuarantined(deps.ledger, model, release)) found.push('the release is quarantined');
    // A rollback has switched already: whatever keeps it from looking, its incident is opened and its predictions are repaired.
    const damage = await whyNotWhole(deps.own, release).catch((error: unknown) => {
      if (promotion !== undefined) throw error;
      return `it cannot be read: ${messageOf(error)}`;
    });
    if (damage !== undefined) found.push(damage);
    if (found.length === 0) return { status: 'verified' };
    const reason = `not serving what was released: ${found.join('; ')}`;
    // By this record the rollback knows that it is the pipeline's own.
    if (promotion !== undefined)
      await recordChange(deps, {
        model,
        operation: unservedOperation(promotion),
        writes: [],
        event: {
          code: 'RELEASE_NOT_SERVED',
          actor: 'pipeline:release',
          release,
          details: { promotion, reason: truncated([reason], 1, 1200).join('') },
        },
      });
    return { status: 'failed', reason };
  });
}

/** The operation under which it is recorded that what a promotion committed is not served. */
export function unservedOperation(promotion: string): string {
  return operationName('unserved', promotion);
}
