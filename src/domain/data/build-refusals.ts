import { z } from 'zod';

/** What a batch of partitions was refused for. */
export const BuiltBatch = z.object({
  refusals: z.array(z.object({ day: z.string(), rule: z.string(), found: z.string() })).default([]),
});
export type BuiltBatch = z.infer<typeof BuiltBatch>;

/** What was refused while the data were built: it is the cause of what is missing later. One fault is in many days' inputs. */
export function causesIn(built: readonly BuiltBatch[]): string[] {
  const refusals = built.flatMap((batch) => batch.refusals);
  const different = new Map(refusals.toReversed().map((refusal) => [`${refusal.rule} ${refusal.found}`, refusal]));
  return [...different.values()]
    .toReversed()
    .map(({ day, rule, found }) => `features of ${day}: ${rule}: ${found}`.slice(0, 500));
}
