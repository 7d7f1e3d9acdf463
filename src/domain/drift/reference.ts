import { addDays, daysBetween } from '../data/partition.ts';

/** The last weeks of what a release was made from stand for all of it: each weekday four times. */
export const REFERENCE_DAYS = 28;

/** The days of a training window that other days are compared with. */
export function referenceDays({ from, to }: { readonly from: string; readonly to: string }): readonly string[] {
  const first = addDays(to, 1 - REFERENCE_DAYS);
  return daysBetween(first < from ? from : first, to);
}
