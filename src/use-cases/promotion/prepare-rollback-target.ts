import { z } from 'zod';
import { Digest } from '#domain/canonical/digest.ts';
import { GatehouseError } from '#domain/error.ts';
import type { FaultCode } from '#domain/faults.ts';
import { refusal } from '#domain/refusal/refusal.ts';
import { confirmedReleases } from '#domain/promotion/pointer.ts';
import { ReleaseManifest } from '#domain/release/manifest.ts';
import { readDocument } from '#ports/documents.ts';
import type { ArtifactStore } from '#ports/artifact-store.ts';
import type { Ledger } from '#ports/ledger.ts';
import { readPointer } from '#read-model/pointer.ts';
import { contract, Refused, type Task } from '#use-cases/task.ts';

export const PrepareRollbackTarget = contract({
  input: z.object({ model: z.string() }),
  output: z.discriminatedUnion('status', [
    /** Null where nothing was confirmed before. */
    z.object({ status: z.literal('ready'), target: Digest.nullable() }),
    Refused,
  ]),
});

/** Makes sure, before anything is switched, that what a rollback would go back to is here and whole. */
export function prepareRollbackTarget(deps: { readonly ledger: Ledger; readonly own: ArtifactStore }): Task {
  return PrepareRollbackTarget.task(async ({ model }) => {
    const pointer = await readPointer(deps.ledger, model);
    // What is on probation is never gone back to.
    const [target] = confirmedReleases(pointer);
    if (target === undefined) return { status: 'ready', target: null };
    const damage = await whyNotWhole(deps.own, target.release);
    if (damage === undefined) return { status: 'ready', target: target.release };
    return {
      status: 'refused',
      refusal: refusal(
        'rollback-target',
        `${target.version}: ${damage}`,
        'restore the release from the environment before this one',
      ),
    };
  });
}

/**
 * Whether an error says of a release itself that it is damaged. Anything else that goes wrong while it is read says
 * nothing of it, and may be tried again.
 */
export function isBroken(error: unknown): error is GatehouseError {
  return error instanceof GatehouseError && BROKEN.has(error.code);
}

/** What no retry can mend. */
const BROKEN = new Set<FaultCode>(['ARTIFACT_TAMPERED', 'ARTIFACT_MISSING', 'BAD_DOCUMENT', 'NOT_CANONICAL']);

/** Why a release cannot be served from a store, or undefined when every file is there and hashes to its name. */
export async function whyNotWhole(store: ArtifactStore, release: Digest): Promise<string | undefined> {
  try {
    const manifest = await readDocument(store, ReleaseManifest, release);
    for (const file of manifest.files) await store.read(file.sha256);
    return undefined;
  } catch (error) {
    if (isBroken(error)) return error.message;
    throw error;
  }
}
