/**
 * Holm's step-down adjustment (Holm 1979, A simple sequentially rejective multiple test procedure): a p-value adjusted by
 * it can be compared with the level as if it stood alone, whatever the dependence among the tests.
 * @param values p-values in [0, 1], in any order
 * @returns the adjusted p-values in the same order, each at least as large as it was and at most 1
 */
export function holm(values: readonly number[]): number[] {
  const order = values.map((_, index) => index).toSorted((a, b) => (values[a] ?? 1) - (values[b] ?? 1));
  const adjusted = values.map(() => 1);
  let least = 0;
  for (const [step, index] of order.entries()) {
    least = Math.max(least, Math.min(1, (values.length - step) * (values[index] ?? 1)));
    adjusted[index] = least;
  }
  return adjusted;
}
