import type { Digest } from '#domain/canonical/digest.ts';

/** What became of a write: new, already there with the same bytes. Other bytes under the same digest are a fault. */
export type StoreResult = 'stored' | 'already-stored';

/** Content-addressed, write-once storage: everything that is read is hashed again before it is believed. */
export interface ArtifactStore {
  has(digest: Digest): Promise<boolean>;
  /** @throws GatehouseError `ARTIFACT_MISSING`, or `ARTIFACT_TAMPERED` when the bytes do not hash to the digest. */
  read(digest: Digest): Promise<Uint8Array>;
  /** @throws GatehouseError `ARTIFACT_TAMPERED` when other bytes are already stored under this content's digest. */
  write(content: Uint8Array): Promise<{ readonly digest: Digest; readonly result: StoreResult }>;
}

/** A store that can only be read. */
export type ReadableStore = Pick<ArtifactStore, 'read'>;
