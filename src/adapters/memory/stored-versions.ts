import { type Digest, digestOf } from '#domain/canonical/digest.ts';
import type { Retention } from '#domain/rollback-readiness/stored-objects.ts';
import type { StoredVersions } from '#ports/stored-versions.ts';

/** The versions of an artifact store in memory; `retentions` is open: what it does not say is retained for ever. */
export function memoryStoredVersions(
  objects: ReadonlyMap<Digest, Uint8Array>,
): StoredVersions & { readonly retentions: Map<Digest, Retention> } {
  const retentions = new Map<Digest, Retention>();
  return {
    retentions,
    async find(digest) {
      const content = objects.get(digest);
      if (content === undefined) return undefined;
      const lasting: Retention = { kind: 'retained', mode: 'GOVERNANCE', until: '9999-01-01T00:00:00.000Z' };
      return { versionId: '1', sha256: digestOf(content), retention: retentions.get(digest) ?? lasting };
    },
  };
}
