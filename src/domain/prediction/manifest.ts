import { z } from 'zod';
import { Digest } from '../canonical/digest.ts';
import { ObjectReference } from '../data/partition.ts';
import { Day, ModelName } from '../model/definition.ts';

/** What the store of predictions says of a day: whose predictions they are, of what, and where. Flipped whole. */
export const PredictionManifest = z.strictObject({
  formatVersion: z.literal(1),
  model: ModelName,
  day: Day,
  features: Digest,
  release: Digest,
  scorer: Digest,
  schema: Digest,
  object: ObjectReference,
  rows: z.int().nonnegative(),
  run: z.string().min(1),
  epoch: z.int(),
  publishedAt: z.iso.datetime(),
});
export type PredictionManifest = z.infer<typeof PredictionManifest>;

/** Which batch run may publish: a number that only grows, and what was asked for since. */
export const Fence = z.strictObject({
  fence: z.int().nonnegative(),
  requested: z.int().nonnegative(),
  running: z.string().nullable(),
  startedAt: z.iso.datetime().nullable(),
});
export type Fence = z.infer<typeof Fence>;

/** The plan of a batch run, as an object by digest. */
export const BatchPlan = z.strictObject({
  formatVersion: z.literal(1),
  model: ModelName,
  run: z.string().min(1),
  kind: z.enum(['none', 'partial', 'full']),
  release: Digest,
  scorer: Digest,
  schema: Digest,
  epoch: z.int(),
  fence: z.int(),
  requested: z.int(),
  partitions: z.array(
    z.strictObject({ day: Day, features: Digest, predictions: Digest, reasons: z.array(z.string()) }),
  ),
  /** Partitions that cannot be scored yet, and what they wait for. */
  waiting: z.array(z.string()),
});
export type BatchPlan = z.infer<typeof BatchPlan>;
