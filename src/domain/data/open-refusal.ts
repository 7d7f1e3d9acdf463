import { z } from 'zod';
import { ModelName } from '../model/definition.ts';
import { Refusal, refusalText } from '../refusal/refusal.ts';
import type { MissingPartition } from './feature-plan.ts';

/**
 * Why a day's events or labels were not admitted, or its predictions not made. It stands until the partition is admitted
 * or the day is published; `resolvedAt` then says when.
 */
export const OpenRefusal = z.strictObject({
  model: ModelName,
  kind: z.enum(['events', 'labels', 'predictions']),
  /** As the producer names it: what is no day is refused as well. */
  day: z.string().min(1).max(40),
  ...Refusal.shape,
  since: z.iso.datetime(),
  resolvedAt: z.iso.datetime().nullable(),
});
export type OpenRefusal = z.infer<typeof OpenRefusal>;

/** Why each missing partition is not there, those that were refused first: they do not come by themselves. */
export function missingReasons(
  missing: readonly MissingPartition[],
  refusals: readonly OpenRefusal[],
): readonly string[] {
  const causes = new Map(refusals.map((refusal) => [`${refusal.kind} of ${refusal.day}`, refusalText(refusal)]));
  const names = [...new Set(missing.map(({ kind, day }) => `${kind} of ${day}`))];
  const refused = names.flatMap((name) => {
    const cause = causes.get(name);
    return cause === undefined ? [] : [`${name} are refused: ${cause}`];
  });
  return [...refused, ...names.filter((name) => !causes.has(name)).map((name) => `${name} are not admitted`)];
}
