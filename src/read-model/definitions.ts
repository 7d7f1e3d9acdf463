import { type Digest } from '#domain/canonical/digest.ts';
import { ModelDefinition } from '#domain/model/definition.ts';
import { fileOf, ReleaseManifest } from '#domain/release/manifest.ts';
import { readDocument } from '#ports/documents.ts';
import type { ReadableStore } from '#ports/artifact-store.ts';

/** A definition and the digest by which its text is stored. */
export interface StoredDefinition {
  readonly definition: ModelDefinition;
  readonly digest: Digest;
}

/** The definition that a release carries: what built its features, and what scores with it. */
export async function definitionOf(store: ReadableStore, release: Digest): Promise<StoredDefinition> {
  return definitionIn(store, await readDocument(store, ReleaseManifest, release));
}

/** The definition that a manifest names. */
export async function definitionIn(store: ReadableStore, manifest: ReleaseManifest): Promise<StoredDefinition> {
  const { sha256 } = fileOf(manifest, 'definition.json');
  return { definition: await readDocument(store, ModelDefinition, sha256), digest: sha256 };
}
