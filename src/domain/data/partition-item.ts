import { z } from 'zod';
import { GatehouseError } from '../error.ts';
import { ITEM_BYTES, itemBytes } from '../limits.ts';
import { type Item, type Key, withoutKey } from '../ledger/item.ts';
import { keys } from '../ledger/keys.ts';
import { AdmittedPartition, ObjectReference } from './partition.ts';

/**
 * A partition as the catalogue's items hold it: bucket and prefix once, and a row for each file. A day of a file a minute
 * fits; written out whole, as plans have it, it would not.
 */
const Stored = AdmittedPartition.omit({ objects: true }).extend({
  bucket: z.string(),
  prefix: z.string(),
  /** Of each file: its name below the prefix, its version, the hex digits of its SHA-256, its size in bytes. */
  files: z.array(z.tuple([z.string(), z.string(), z.string(), z.number()])),
});

/** The part of an item that the other attributes leave: room for a few more of them. */
const MOST_BYTES = ITEM_BYTES - 16 * 1024;

/** An admitted partition that stands under a key of the catalogue. */
export function partitionIn(item: Item): AdmittedPartition {
  const { bucket, prefix, files, ...partition } = withoutKey(Stored, item);
  return {
    ...partition,
    objects: files.map(([name, versionId, hex, size]) =>
      ObjectReference.parse({ bucket, key: `${prefix}${name}`, versionId, sha256: `sha256:${hex}`, size }),
    ),
  };
}

/** The item of an admitted partition. @throws GatehouseError `MIXED_PARTITION` for objects of several places */
export function partitionItem(key: Key, { objects, ...partition }: AdmittedPartition): Item {
  const bucket = objects[0]?.bucket ?? '';
  const prefix = commonFolder(objects.map((object) => object.key));
  if (objects.some((object) => object.bucket !== bucket))
    throw new GatehouseError('MIXED_PARTITION', `${partition.kind} of ${partition.day} lies in several buckets`);
  const files = objects.map(({ key: name, versionId, sha256, size }) => [
    name.slice(prefix.length),
    versionId,
    sha256.slice('sha256:'.length),
    size,
  ]);
  return { ...key, ...partition, bucket, prefix, files };
}

/** Why a partition has too many files to be admitted as one item, or undefined. */
export function whyTooManyFiles(partition: AdmittedPartition): string | undefined {
  const { model, kind, day, version, objects } = partition;
  const bytes = itemBytes(partitionItem(keys.partitionVersion(model, kind, day, version), partition));
  if (bytes <= MOST_BYTES) return undefined;
  const most = Math.floor((objects.length * MOST_BYTES) / bytes);
  return `${objects.length} files make an entry of ${bytes} bytes, at most ${MOST_BYTES}: about ${most} files with such names`;
}

/** The folder that all keys have in common, with its slash. */
function commonFolder(names: readonly string[]): string {
  const [first = ''] = names;
  let folder = first.slice(0, first.lastIndexOf('/') + 1);
  while (!names.every((name) => name.startsWith(folder)))
    folder = folder.slice(0, folder.lastIndexOf('/', folder.length - 2) + 1);
  return folder;
}
