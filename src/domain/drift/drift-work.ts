import { z } from 'zod';
import { document } from '../canonical/document.ts';
import { Digest } from '../canonical/digest.ts';
import { Day, ModelName } from '../model/definition.ts';

/** Feature partitions that are compared with each other, by digest: those that a release was trained on, and its inputs now. */
export const StabilityPlan = document(
  'stability plan',
  z.strictObject({
    formatVersion: z.literal(1),
    model: ModelName,
    definition: Digest,
    reference: z.array(Digest),
    current: z.array(Digest),
  }),
);
export type StabilityPlan = z.infer<typeof StabilityPlan>;

const Shares = { reference: z.number().min(0).max(1), current: z.number().min(0).max(1) };

/** How far one input has moved, and where. */
export const InputStability = z.strictObject({
  input: z.string().min(1),
  /** The population stability index. */
  index: z.number().nonnegative(),
  /** Shares of the rows whose value is above the bound before and at most this; a bound that is infinite is null. */
  bins: z.array(z.strictObject({ upTo: z.number().nullable(), ...Shares })),
  /** Shares of the rows whose value is none such as the reference has; measures of before do not say. */
  unseen: z.strictObject(Shares).exactOptional(),
  /** Shares of the rows that have no value. */
  missing: z.strictObject(Shares),
});
export type InputStability = z.infer<typeof InputStability>;

/** What the inputs of a release look like now against what it was made from, as an object by digest. */
export const StabilityMeasure = document(
  'stability measure',
  z.strictObject({
    formatVersion: z.literal(1),
    rows: z.strictObject({ reference: z.int().nonnegative(), current: z.int().nonnegative() }),
    /** None where either side has no rows: then nothing can be said. */
    inputs: z.array(InputStability),
  }),
);
export type StabilityMeasure = z.infer<typeof StabilityMeasure>;

/** What a check of drift comes to, and what it says of the inputs; `insufficient` is never taken for stable. */
export const DriftStatus = z.enum(['stable', 'drifted', 'skewed', 'insufficient']);
export const InputsStatus = DriftStatus.exclude(['skewed']);

/** Stored features of a day that came out otherwise when they were made anew. */
export const ParityDifference = z.object({
  day: Day,
  features: Digest,
  /** What is different, in words where no rows could be compared. */
  found: z.string(),
  /** Rows by the columns in which they differ, and rows that only one of the two has. */
  columns: z.array(z.object({ column: z.string(), rows: z.int() })),
  rows: z.object({ stored: z.int(), anew: z.int(), unmatched: z.int() }).nullable(),
});
export type ParityDifference = z.infer<typeof ParityDifference>;

/** What came of making stored feature partitions anew from the lake's admitted partitions. */
export const ParityFound = z.object({
  /** The days whose stored features were made anew and compared. */
  days: z.array(Day),
  differences: z.array(ParityDifference),
  /** Why days of the sample could not be compared. */
  reasons: z.array(z.string()),
});
export type ParityFound = z.infer<typeof ParityFound>;
