import type { Digest } from '#domain/canonical/digest.ts';
import { partitionIn } from '#domain/data/partition-item.ts';
import { parseCanonical } from '#domain/canonical/digest.ts';
import type { AdmittedPartition } from '#domain/data/partition.ts';
import { keys } from '#domain/ledger/keys.ts';
import { ModelDefinition } from '#domain/model/definition.ts';
import { fileOf, openManifest, type ReleaseManifest } from '#domain/release/manifest.ts';
import type { ArtifactStore } from '#ports/artifact-store.ts';
import type { Ledger } from '#ports/ledger.ts';

/** The newest version of every admitted partition of a model. */
export async function readCatalogue(ledger: Ledger, model: string): Promise<readonly AdmittedPartition[]> {
  const items = await Promise.all([
    ledger.query(keys.partitions(model, 'events')),
    ledger.query(keys.partitions(model, 'labels')),
  ]);
  return items.flat().map((item) => partitionIn(item));
}

/** A definition and the digest by which its text is stored. */
export interface StoredDefinition {
  readonly definition: ModelDefinition;
  readonly digest: Digest;
}

/** The definition that a release carries: what built its features, and what scores with it. */
export async function definitionOf(store: ArtifactStore, release: Digest): Promise<StoredDefinition> {
  return definitionIn(store, openManifest(await store.read(release)));
}

/** The definition that a manifest names. */
export async function definitionIn(store: ArtifactStore, manifest: ReleaseManifest): Promise<StoredDefinition> {
  const { sha256 } = fileOf(manifest, 'definition.json');
  return { definition: parseCanonical(ModelDefinition, await store.read(sha256), 'definition.json'), digest: sha256 };
}
