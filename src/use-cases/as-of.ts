import { z } from 'zod';
import { GatehouseError } from '#domain/error.ts';
import { Day } from '#domain/model/definition.ts';
import type { Clock } from '#ports/clock.ts';

/** As of when something is done: a day, or an instant as the scheduler gives it. */
export const AsOf = z.union([Day, z.iso.datetime()]);

/**
 * The logical day of an operation, from a day or an instant as the scheduler gives it. A day that has not come would count
 * labels as arrived that nobody has delivered, and days as over that have not begun. @throws GatehouseError `AS_OF_FUTURE`
 */
export function logicalDay(given: string, clock: Clock): string {
  const day = Day.parse(given.slice(0, 10));
  const today = clock.now().toISOString().slice(0, 10);
  if (day <= today) return day;
  throw new GatehouseError('AS_OF_FUTURE', `asOf ${day} is after today, ${today}; name a day that has come`, { day });
}
