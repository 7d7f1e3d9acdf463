import { z } from 'zod';
import { Digest } from '../canonical/digest.ts';

/** What is wrong with a stored object: it is not there, or it is another than was stored. */
export const FindingKind = z.enum(['missing', 'differs']);
export type FindingKind = z.infer<typeof FindingKind>;

/** A finding on a stored object, which stays open until the object is whole again. */
export const Finding = z.strictObject({
  model: z.string().min(1),
  /** What the rotation calls the whole that the object is a part of. */
  unit: z.string().min(1),
  object: z.string().min(1),
  /** Null where it was found whole again, or nothing needs it any more. */
  kind: FindingKind.nullable(),
  found: z.string(),
  /** What depends on it: the served release, a rollback target, versions, days. */
  affects: z.array(z.string()),
  release: Digest.nullable(),
  since: z.iso.datetime(),
});
export type Finding = z.infer<typeof Finding>;
