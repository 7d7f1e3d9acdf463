import { z } from 'zod';
import { Digest } from '#domain/canonical/digest.ts';
import type { ArtifactStore } from '#ports/artifact-store.ts';
import type { Ledger } from '#ports/ledger.ts';
import { type Task, task } from '#use-cases/task.ts';
import { isQuarantined, readPointer } from './ledger-state.ts';
import { whyNotWhole } from './prepare-rollback-target.ts';

/** Looks again, after the pointer was switched: it names the release, which is whole here and not quarantined. */
export function verifyServing(deps: { readonly ledger: Ledger; readonly own: ArtifactStore }): Task {
  return task(z.object({ model: z.string(), release: Digest }), async ({ model, release }) => {
    const pointer = await readPointer(deps.ledger, model);
    const found: string[] = [];
    if (pointer?.current !== release) found.push(`the pointer names ${pointer?.version ?? 'nothing'}`);
    if (await isQuarantined(deps.ledger, model, release)) found.push('the release is quarantined');
    const damage = await whyNotWhole(deps.own, release);
    if (damage !== undefined) found.push(damage);
    return found.length === 0
      ? { status: 'verified' }
      : { status: 'failed', reason: `not serving what was released: ${found.join('; ')}` };
  });
}
