import { join } from 'node:path';
import { type Digest, digestOf } from '#domain/canonical/digest.ts';
import { GatehouseError } from '#domain/error.ts';
import type { ArtifactStore } from '#ports/artifact-store.ts';
import { readIfThere, writeOnce } from './files.ts';

/** An artifact store in a folder of this machine: a file per object, named by its digest. */
export function folderArtifactStore(folder: string): ArtifactStore {
  const pathOf = (digest: Digest): string => join(folder, digest.slice('sha256:'.length));
  const store: ArtifactStore = {
    has: async (digest) => (await readIfThere(pathOf(digest))) !== undefined,
    async read(digest) {
      const content = await readIfThere(pathOf(digest));
      if (content === undefined)
        throw new GatehouseError('ARTIFACT_MISSING', `no object ${digest} in ${folder}`, { digest });
      if (digestOf(content) === digest) return content;
      throw new GatehouseError('ARTIFACT_TAMPERED', `${pathOf(digest)} does not hash to its name; delete the file`, {
        digest,
      });
    },
    async write(content) {
      const digest = digestOf(content);
      if (await writeOnce(pathOf(digest), content)) return { digest, result: 'stored' };
      await store.read(digest);
      return { digest, result: 'already-stored' };
    },
  };
  return store;
}
