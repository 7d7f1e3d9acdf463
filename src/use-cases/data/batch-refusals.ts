import { type Digest } from '#domain/canonical/digest.ts';
import { BatchRefusals, type RefusedDay } from '#domain/data/build-refusals.ts';
import { readDocument, writeDocument } from '#ports/documents.ts';
import type { ArtifactStore } from '#ports/artifact-store.ts';

/** Stores what a batch was refused for; null where nothing was. */
export async function writeRefusals(documents: ArtifactStore, refusals: readonly RefusedDay[]): Promise<Digest | null> {
  if (refusals.length === 0) return null;
  return writeDocument(documents, BatchRefusals, { formatVersion: 1, refusals });
}

/** What some batches were refused for, oldest day first. */
export async function readRefusals(
  documents: ArtifactStore,
  digests: readonly (Digest | null)[],
): Promise<readonly RefusedDay[]> {
  const found = await Promise.all(
    digests
      .filter((digest) => digest !== null)
      .map(async (digest) => (await readDocument(documents, BatchRefusals, digest)).refusals),
  );
  return found.flat().toSorted((a, b) => (a.day < b.day ? -1 : 1));
}
