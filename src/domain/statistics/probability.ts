/** What 32-bit arithmetic, or another machine's order of additions, may put a number beside its right value. */
export const ROUNDING = 1e-6;

/** The probability that a model means by a number: one that rounding has put past 0 or 1 is that end; NaN where it is none. */
export function probabilityOf(value: number): number {
  return value >= -ROUNDING && value <= 1 + ROUNDING ? Math.min(1, Math.max(0, value)) : Number.NaN;
}
