import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Digest, digestOf } from '#domain/canonical/digest.ts';
import { copyNameOf, type ObjectReference } from '#domain/data/partition.ts';
import { GatehouseError } from '#domain/error.ts';
import type { BuiltKind, Lake, LocalObject } from '#ports/lake.ts';

interface Stored extends Omit<LocalObject, 'path'> {
  readonly content: Uint8Array;
}

/** A lake in memory; `objects` is open, by kind, model and digest, and `sources` by key. */
export function memoryLake(): Lake & {
  readonly objects: Map<string, Stored>;
  readonly sources: Map<string, Uint8Array>;
} {
  const objects = new Map<string, Stored>();
  const sources = new Map<string, Uint8Array>();
  const copy = async (content: Uint8Array | undefined, object: ObjectReference, folder: string): Promise<string> => {
    const { key: name } = object;
    if (content === undefined) throw new GatehouseError('ARTIFACT_MISSING', `${name} is not there`, { name });
    if (digestOf(content) !== object.sha256) {
      throw new GatehouseError('ARTIFACT_TAMPERED', `${name} does not hash to what was recorded`, { name });
    }
    const path = join(folder, copyNameOf(object));
    await writeFile(path, content);
    return path;
  };
  return {
    objects,
    sources,
    async built(kind, model) {
      const prefix = builtName(kind, model, '');
      return new Set(
        [...objects.keys()].filter((key) => key.startsWith(prefix)).map((key) => key.slice(prefix.length) as Digest),
      );
    },
    async find(kind, model, digest) {
      const key = builtName(kind, model, digest);
      const found = objects.get(key);
      if (found === undefined) return undefined;
      const object: ObjectReference = {
        bucket: 'lake',
        key,
        versionId: '1',
        sha256: found.sha256,
        size: found.content.length,
      };
      return { object, rows: found.rows, ...(found.lineage === undefined ? {} : { lineage: found.lineage }) };
    },
    async store(kind, model, digest, { path, ...file }) {
      const key = builtName(kind, model, digest);
      const content = await readFile(path);
      const earlier = objects.get(key);
      if (earlier === undefined) objects.set(key, { content, ...file });
      else if (earlier.sha256 !== file.sha256) {
        throw new GatehouseError('ARTIFACT_TAMPERED', `${key} is there with other bytes than were built now`, { key });
      }
    },
    async fetch(kind, model, digest, folder) {
      const key = builtName(kind, model, digest);
      const found = objects.get(key);
      const object = { bucket: 'lake', key, versionId: '1', sha256: found?.sha256 ?? digest, size: 0 };
      return copy(found?.content, object, folder);
    },
    fetchSource: (object, folder) => copy(sources.get(object.key), object, folder),
  };
}

function builtName(kind: BuiltKind, model: string, digest: string): string {
  return `${model}/${kind}/${digest}`;
}
