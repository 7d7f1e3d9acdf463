import { z } from 'zod';
import { ModelName } from '../model/definition.ts';

/**
 * Why a day's events or labels were not admitted, or its predictions not made. It stands until the partition is admitted
 * or the day is published; `resolvedAt` then says when.
 */
export const StandingRefusal = z.strictObject({
  model: ModelName,
  kind: z.enum(['events', 'labels', 'predictions']),
  /** As the producer names it: what is no day is refused as well. */
  day: z.string().min(1).max(40),
  rule: z.string().min(1),
  found: z.string(),
  remedy: z.string(),
  since: z.iso.datetime(),
  resolvedAt: z.iso.datetime().nullable(),
});
export type StandingRefusal = z.infer<typeof StandingRefusal>;

/** The cause of a refusal and what to do, in one line. */
export function refusalText({ rule, found, remedy }: Pick<StandingRefusal, 'rule' | 'found' | 'remedy'>): string {
  return `${rule}: ${found}${remedy === '' ? '' : `; ${remedy}`}`;
}
