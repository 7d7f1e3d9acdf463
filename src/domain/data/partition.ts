import { z } from 'zod';
import { Digest, digestOfJson } from '../canonical/digest.ts';
import { Day, ModelName } from '../model/definition.ts';

/** Where bytes are: one version of one S3 object, with what they must hash to. */
export const ObjectReference = z.strictObject({
  bucket: z.string().min(3),
  key: z.string().min(1),
  versionId: z.string().min(1),
  sha256: Digest,
  size: z.int().nonnegative(),
});
export type ObjectReference = z.infer<typeof ObjectReference>;

export const PartitionKind = z.enum(['events', 'labels']);
export type PartitionKind = z.infer<typeof PartitionKind>;

/**
 * An admitted partition: a day of events, or the labels that arrived on a day. A correction is version n+1; a partition
 * that was withdrawn at its source is a version without objects: an empty day, not a gap.
 */
export const AdmittedPartition = z.strictObject({
  formatVersion: z.literal(1),
  model: ModelName,
  kind: PartitionKind,
  day: Day,
  version: z.int().min(1),
  digest: Digest,
  objects: z.array(ObjectReference),
  admittedAt: z.iso.datetime(),
});
export type AdmittedPartition = z.infer<typeof AdmittedPartition>;

/** What a plan says of an admitted partition that it reads: the rest of the admission is left out. */
export const InputPartition = z.object(
  AdmittedPartition.pick({ kind: true, day: true, version: true, digest: true, objects: true }).shape,
);
export type InputPartition = z.infer<typeof InputPartition>;

/** A partition's digest speaks of names and bytes only, so that the same data has the same digest in each account. */
export function partitionDigest(objects: readonly Pick<ObjectReference, 'key' | 'sha256'>[]): Digest {
  const files = objects.map((object) => ({
    name: object.key.slice(object.key.lastIndexOf('/') + 1),
    sha256: object.sha256,
  }));
  return digestOfJson(files.toSorted((a, b) => (a.name < b.name ? -1 : 1)));
}

/**
 * The name of an object's copy among the copies of others, which ends as the object's does: equal bytes may lie at several
 * places, and one copy go before another.
 */
export function copyNameOf({ bucket, key, versionId, sha256 }: ObjectReference): string {
  const name = key.slice(key.lastIndexOf('/') + 1).replaceAll(/[^\w.-]/g, '_');
  return `${digestOfJson({ bucket, key, versionId, sha256 }).slice('sha256:'.length, 23)}-${name.slice(-80)}`;
}

/** The day so many days after (or, negative, before) a day. */
export function addDays(day: string, days: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10);
}

/** The days from the first to the last, both included. */
export function daysBetween(first: string, last: string): string[] {
  const days: string[] = [];
  for (let day = first; day <= last; day = addDays(day, 1)) days.push(day);
  return days;
}
