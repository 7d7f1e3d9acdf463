import { type Digest, digestOf } from '#domain/canonical/digest.ts';
import { GatehouseError } from '#domain/error.ts';
import type { ArtifactStore } from '#ports/artifact-store.ts';

/** An artifact store in memory; `objects` is open, so that a test can tamper. */
export function memoryArtifactStore(): ArtifactStore & { readonly objects: Map<Digest, Uint8Array> } {
  const objects = new Map<Digest, Uint8Array>();
  return {
    objects,
    has: (digest) => Promise.resolve(objects.has(digest)),
    read(digest) {
      const content = objects.get(digest);
      if (content === undefined)
        return Promise.reject(new GatehouseError('ARTIFACT_MISSING', `no object ${digest}`, { digest }));
      return digestOf(content) === digest
        ? Promise.resolve(Uint8Array.from(content))
        : Promise.reject(
            new GatehouseError('ARTIFACT_TAMPERED', `object ${digest} does not hash to its name`, { digest }),
          );
    },
    async write(content) {
      const digest = digestOf(content);
      if (!objects.has(digest)) {
        objects.set(digest, Uint8Array.from(content));
        return { digest, result: 'stored' };
      }
      if (digestOf(objects.get(digest) ?? '') !== digest) {
        throw new GatehouseError('ARTIFACT_TAMPERED', `other bytes are stored under ${digest}`, { digest });
      }
      return { digest, result: 'already-stored' };
    },
  };
}
