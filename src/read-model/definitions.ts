import { type Digest, parseCanonical } from '#domain/canonical/digest.ts';
import { ModelDefinition } from '#domain/model/definition.ts';
import { fileOf, openManifest, type ReleaseManifest } from '#domain/release/manifest.ts';
import type { ReadableStore } from '#ports/artifact-store.ts';

/** A definition and the digest by which its text is stored. */
export interface StoredDefinition {
  readonly definition: ModelDefinition;
  readonly digest: Digest;
}

/** The definition that a release carries: what built its features, and what scores with it. */
export async function definitionOf(store: ReadableStore, release: Digest): Promise<StoredDefinition> {
  return definitionIn(store, openManifest(await store.read(release)));
}

/** The definition that a manifest names. */
export async function definitionIn(store: ReadableStore, manifest: ReleaseManifest): Promise<StoredDefinition> {
  const { sha256 } = fileOf(manifest, 'definition.json');
  return { definition: parseCanonical(ModelDefinition, await store.read(sha256), 'definition.json'), digest: sha256 };
}
