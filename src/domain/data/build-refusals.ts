import { z } from 'zod';
import { document } from '../canonical/document.ts';
import { Refusal } from '../refusal/refusal.ts';

/** What a batch of partitions was refused for. */
export const BuiltBatch = z.object({
  refusals: z.array(Refusal.omit({ remedy: true }).extend({ day: z.string() })).default([]),
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

/** A day that a batch was refused for, and the cause. */
export const RefusedDay = Refusal.extend({ day: z.string() });
export type RefusedDay = Readonly<z.infer<typeof RefusedDay>>;

/** All that a batch was refused for, as an object by digest: an execution's document holds no list that grows with the days. */
export const BatchRefusals = document(
  'batch refusals',
  z.strictObject({
    formatVersion: z.literal(1),
    refusals: z.array(z.strictObject({ day: z.string(), ...Refusal.shape })),
  }),
);

/**
 * The cause of each day that was not scored: its own refusal, or, where it only lacks its inputs, the first refusal of
 * these. What nothing was said of has no cause here.
 */
export function causesByDay(
  days: readonly string[],
  refused: {
    readonly daily: readonly RefusedDay[];
    readonly features: readonly RefusedDay[];
    readonly scored: readonly RefusedDay[];
  },
): RefusedDay[] {
  const own = new Map([...refused.scored, ...refused.features].map((each) => [each.day, each]));
  return days.flatMap((day) => {
    const found = own.get(day);
    // The aggregates that a day is made of are of the days before it, the newest of which is the likeliest to be new.
    const before = refused.daily.filter((each) => each.day < day).toSorted((a, b) => (a.day < b.day ? 1 : -1))[0];
    const cause = found?.rule === 'inputs-built' || found === undefined ? (before ?? found) : found;
    return cause === undefined ? [] : [{ ...cause, day }];
  });
}
