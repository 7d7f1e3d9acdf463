import { copyFile, readFile } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { digestOf } from '#domain/canonical/digest.ts';
import { type ObjectReference, type PartitionKind, PartitionKind as Kinds } from '#domain/data/partition.ts';
import type { ModelDefinition } from '#domain/model/definition.ts';
import type { Landing } from '#use-cases/admission/admit-partition.ts';
import { GatehouseError } from '#domain/error.ts';
import type { DayFile } from '#ports/feature-engine.ts';

/** Local files as they would lie in the landing bucket, each day with its ready marker. */
export interface LocalLanding extends Landing {
  /** The files by the keys that they would have. */
  readonly files: ReadonlyMap<string, string>;
  readonly markers: readonly { readonly kind: PartitionKind; readonly day: string; readonly marker: string }[];
}

/** Lays local files where a model's producer would write them. @throws GatehouseError `SAME_NAME` for two of a day under one name */
export async function localLanding(
  definition: ModelDefinition,
  given: Readonly<Record<PartitionKind, readonly DayFile[]>>,
): Promise<LocalLanding> {
  const files = new Map<string, string>();
  const markers: { kind: PartitionKind; day: string; marker: string }[] = [];
  for (const kind of Kinds.options) {
    const { source, readyMarker } = definition[kind];
    for (const { day, file } of given[kind]) {
      const key = `${source}/dt=${day}/${basename(file)}`;
      if (files.has(key))
        throw new GatehouseError('SAME_NAME', `${kind} of ${day}: two files are called ${basename(file)}`, { key });
      files.set(key, resolve(file));
    }
    for (const day of [...new Set(given[kind].map((each) => each.day))].toSorted())
      markers.push({ kind, day, marker: `${source}/dt=${day}/${readyMarker}` });
  }
  const objectOf = async (key: string, content: Uint8Array | string): Promise<ObjectReference> => ({
    bucket: 'landing',
    key,
    versionId: 'local',
    sha256: digestOf(content),
    size: content.length,
  });
  return {
    files,
    markers,
    async list(prefix) {
      const own = [...files].filter(([key]) => key.startsWith(prefix));
      const ready = markers.filter(({ marker }) => marker.startsWith(prefix));
      return Promise.all([
        ...own.map(async ([key, file]) => objectOf(key, await readFile(file))),
        ...ready.map(({ marker }) => objectOf(marker, '')),
      ]);
    },
    copy: ({ key }, path) => copyFile(files.get(key) ?? key, path),
  };
}
