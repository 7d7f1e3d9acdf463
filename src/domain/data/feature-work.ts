import { z } from 'zod';
import { document } from '../canonical/document.ts';
import { Digest, digestOfJson } from '../canonical/digest.ts';
import { Day, ModelName } from '../model/definition.ts';
import { InputPartition } from './partition.ts';

const Named = z.strictObject({ day: Day, digest: Digest });

/**
 * Partitions that are to be built, as an object by digest: states pass only its digest and a range of it, so that an
 * execution's document stays small. `definition` names the compiled definition whose SQL builds the partition.
 */
export const FeatureWork = document(
  'feature work',
  z.strictObject({
    formatVersion: z.literal(1),
    model: ModelName,
    daily: z.array(
      z.strictObject({
        definition: Digest,
        day: Day,
        digest: Digest,
        events: z.array(InputPartition),
        labels: InputPartition.optional(),
      }),
    ),
    features: z.array(
      z.strictObject({
        definition: Digest,
        day: Day,
        digest: Digest,
        events: z.array(InputPartition),
        daily: z.array(Named),
      }),
    ),
  }),
);
export type FeatureWork = z.infer<typeof FeatureWork>;

/** A part of some work: the items from the first up to, and without, the last. */
export const WorkBatch = z.strictObject({
  work: Digest,
  model: ModelName,
  from: z.int().nonnegative(),
  to: z.int().nonnegative(),
});
export type WorkBatch = z.infer<typeof WorkBatch>;

/** Feature partitions that are to be scored, as an object by digest, like the work before. */
export const ScoreWork = document(
  'score work',
  z.strictObject({
    formatVersion: z.literal(1),
    model: ModelName,
    /** Where rows are published for look-up by entity: for so many days. */
    lookupDays: z.int().positive().optional(),
    items: z.array(
      z.strictObject({
        release: Digest,
        day: Day,
        features: Digest,
        /** The features of an earlier scoring by the same release and scorer, from which unchanged rows may be carried over. */
        previous: Digest.optional(),
      }),
    ),
  }),
);
export type ScoreWork = z.infer<typeof ScoreWork>;

/** The name of the predictions that a release makes of a feature partition with a scorer. */
export function predictionDigest(features: Digest, release: Digest, scorer: Digest): Digest {
  return digestOfJson({ kind: 'predictions', features, release, scorer });
}

/** Cuts a count into ranges of at most so many. */
export function ranges(count: number, size: number): { readonly from: number; readonly to: number }[] {
  return Array.from({ length: Math.ceil(count / size) }, (_, index) => ({
    from: index * size,
    to: Math.min(count, (index + 1) * size),
  }));
}

/** Cuts days into groups whose inputs have at most so many bytes, each counted once; a day that has more stands alone. */
export function batchesWithin<
  Item extends { readonly events: readonly InputPartition[]; readonly labels?: InputPartition | undefined },
>(items: readonly Item[], bytes: number): Item[][] {
  const groups: Item[][] = [];
  let seen = new Map<string, number>();
  for (const item of items) {
    const own = [...item.events, ...(item.labels === undefined ? [] : [item.labels])].flatMap(({ objects }) => objects);
    const together = new Map([...seen, ...own.map(({ sha256, size }): [string, number] => [sha256, size])]);
    const total = together.values().reduce((sum, size) => sum + size, 0);
    const last = groups.at(-1);
    if (last !== undefined && total <= bytes) {
      last.push(item);
      seen = together;
    } else {
      groups.push([item]);
      seen = new Map(own.map(({ sha256, size }) => [sha256, size]));
    }
  }
  return groups;
}
