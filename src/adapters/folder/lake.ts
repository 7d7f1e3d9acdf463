import { copyFile, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { canonicalJson, Digest, digestOf, parseCanonical } from '#domain/canonical/digest.ts';
import { copyNameOf } from '#domain/data/partition.ts';
import { GatehouseError } from '#domain/error.ts';
import { Lineage } from '#domain/prediction/manifest.ts';
import type { BuiltKind, Lake } from '#ports/lake.ts';
import { isCode, readIfThere, writeOnce } from './files.ts';

/** What stands beside a built file, as an object's metadata does in S3. */
const Metadata = z.strictObject({ sha256: Digest, rows: z.int(), size: z.int(), lineage: Lineage.exactOptional() });
const METADATA = '.json';

/** A lake in a folder of this machine; `sources` says by key which file an admitted object is. */
export function folderLake(folder: string, sources: ReadonlyMap<string, string> = new Map()): Lake {
  const pathOf = (kind: BuiltKind, model: string, digest: Digest): string =>
    join(folder, model, kind, `${digest.slice('sha256:'.length)}.parquet`);
  const lake: Lake = {
    async built(kind, model) {
      const names = await readdir(join(folder, model, kind)).catch(() => []);
      return new Set(
        names.flatMap((name) =>
          name.endsWith(METADATA) ? [Digest.parse(`sha256:${name.slice(0, name.indexOf('.'))}`)] : [],
        ),
      );
    },
    async find(kind, model, digest) {
      const key = pathOf(kind, model, digest);
      const text = await readIfThere(`${key}${METADATA}`);
      if (text === undefined) return undefined;
      const { sha256, size, ...found } = parseCanonical(Metadata, text, `${key}${METADATA}`);
      return { object: { bucket: 'folder', key, versionId: 'null', sha256, size }, ...found };
    },
    async store(kind, model, digest, { path, ...file }) {
      const key = pathOf(kind, model, digest);
      const content = await readFile(path);
      if (!(await writeOnce(key, content)) && digestOf((await readIfThere(key)) ?? '') !== file.sha256)
        throw new GatehouseError('ARTIFACT_TAMPERED', `${key} is there with other bytes than were built now`, { key });
      // Last: only what has its metadata is built.
      await writeOnce(`${key}${METADATA}`, canonicalJson(Metadata.parse({ ...file, size: content.length })));
    },
    async fetch(kind, model, digest, into) {
      const built = await lake.find(kind, model, digest);
      if (built === undefined)
        throw new GatehouseError('ARTIFACT_MISSING', `${kind} ${digest} of ${model} are not built`, { kind, digest });
      return lake.fetchSource(built.object, into);
    },
    async fetchSource(object, into) {
      const path = join(into, copyNameOf(object));
      try {
        await copyFile(sources.get(object.key) ?? object.key, path);
      } catch (error) {
        if (!isCode(error, 'ENOENT')) throw error;
        throw new GatehouseError('ARTIFACT_MISSING', `${object.key} is not there`, { key: object.key }, error);
      }
      if (digestOf(await readFile(path)) === object.sha256) return path;
      throw new GatehouseError('ARTIFACT_TAMPERED', `${object.key} does not hash to what was recorded`, {
        key: object.key,
      });
    },
  };
  return lake;
}
