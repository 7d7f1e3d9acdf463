import { z } from 'zod';

/** How fast answers were before a release was served: what "slower than before" is measured against while it is. */
export const LatencyBaseline = z.strictObject({
  /** Milliseconds: the 99th percentile of the outgoing champion's answers, or the model's objective. */
  p99: z.number().positive(),
  /** `champion` where enough of its answers were measured, `objective` otherwise. */
  source: z.enum(['champion', 'objective']),
  /** How many of the outgoing champion's answers were measured. */
  answers: z.int().nonnegative(),
});
export type LatencyBaseline = z.infer<typeof LatencyBaseline>;

/** Answers below which a champion's percentile says little: ten of them lie above it. */
const ENOUGH_ANSWERS = 1000;

/** What latency is compared with: what the outgoing champion was measured at, if it answered enough, and the objective otherwise. */
export function latencyBaseline(
  objectiveMs: number,
  measured: { readonly answers: number; readonly p99: number | null } | undefined,
): LatencyBaseline {
  const answers = measured?.answers ?? 0;
  const p99 = measured?.p99 ?? 0;
  // A clock of whole milliseconds may measure none.
  if (answers >= ENOUGH_ANSWERS && p99 > 0) return { p99, source: 'champion', answers };
  return { p99: objectiveMs, source: 'objective', answers };
}
