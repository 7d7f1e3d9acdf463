import { z } from 'zod';

/** What a batch of partitions was refused for. */
export const BuiltBatch = z.object({
  refusals: z.array(z.object({ day: z.string(), rule: z.string(), found: z.string() })).default([]),
});
export type BuiltBatch = z.infer<typeof BuiltBatch>;

/** What was refused while something was made: it is the cause of what is missing later. One fault is in many days' inputs. */
export function causesIn(built: readonly BuiltBatch[], made = 'features'): string[] {
  const refusals = built.flatMap((batch) => batch.refusals);
  const different = new Map(refusals.toReversed().map((refusal) => [`${refusal.rule} ${refusal.found}`, refusal]));
  return [...different.values()]
    .toReversed()
    .map(({ day, rule, found }) => `${made} of ${day}: ${rule}: ${found}`.slice(0, 500));
}
