import type { Digest } from '#domain/canonical/digest.ts';
import { GatehouseError } from '#domain/error.ts';
import type { FaultCode } from '#domain/faults.ts';
import { ReleaseManifest } from '#domain/release/manifest.ts';
import type { ReadableStore } from '#ports/artifact-store.ts';
import { readDocument } from '#ports/documents.ts';

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
export async function whyNotWhole(store: ReadableStore, release: Digest): Promise<string | undefined> {
  try {
    const manifest = await readDocument(store, ReleaseManifest, release);
    for (const file of manifest.files) await store.read(file.sha256);
    return undefined;
  } catch (error) {
    if (isBroken(error)) return error.message;
    throw error;
  }
}
