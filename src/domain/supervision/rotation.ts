import { z } from 'zod';
import { digestOf } from '../canonical/digest.ts';

const HOUR_MS = 3_600_000;

/** How far a rotation has come: the hour that is done, how many hours one rotation takes, and where it stopped in the hour after that. */
export const RotationCursor = z.strictObject({
  hour: z.int(),
  hours: z.int().positive(),
  /** The name of what was looked at last in the hour after `hour`; null where it has not begun. */
  after: z.string().nullable(),
});
export type RotationCursor = z.infer<typeof RotationCursor>;

/** The hour of a time, counted from the epoch. */
export function hourOf(time: Date): number {
  return Math.floor(time.getTime() / HOUR_MS);
}

/**
 * Where a rotation begins: after what is done. One that begins, or takes another number of hours than before, has its first or another
 * whole rotation to make; one that stood still for longer than a rotation takes has not more than one to make good.
 */
export function rotationFrom(cursor: RotationCursor | undefined, hours: number, now: Date): RotationCursor {
  const current = hourOf(now);
  if (cursor === undefined) return { hour: current - 1, hours, after: null };
  if (cursor.hours !== hours || current - cursor.hour > hours) return { hour: current - hours, hours, after: null };
  return cursor;
}

/** What is due in an hour, in the order in which it is looked at: each name once in so many hours. */
export function dueInHour<T extends { readonly name: string }>(
  items: readonly T[],
  hour: number,
  { hours, after }: Pick<RotationCursor, 'hours' | 'after'>,
): readonly T[] {
  const slot = ((hour % hours) + hours) % hours;
  return items
    .filter(({ name }) => slotOf(name, hours) === slot && (after === null || name > after))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function slotOf(name: string, hours: number): number {
  return Number.parseInt(digestOf(name).slice('sha256:'.length, 'sha256:'.length + 12), 16) % hours;
}
