import type { Digest } from '#domain/canonical/digest.ts';
import type { StoredVersion } from '#domain/rollback-readiness/stored-objects.ts';

/** What a store of artifacts has of an object beside its bytes: its version, and for how long that is retained. */
export interface StoredVersions {
  /** The version that is read now, hashed; undefined where there is none, or a delete marker hides it. */
  find(digest: Digest): Promise<StoredVersion | undefined>;
}
