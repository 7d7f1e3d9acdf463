import { Cron } from 'croner';
import { GatehouseError } from '../error.ts';
import { cronProblem } from '../model/cron.ts';
import { cronerPattern } from './aws-cron.ts';
import type { Timing } from './schedules.ts';

const MINUTE_MS = 60_000;
const UNITS: Readonly<Record<string, number>> = { minute: MINUTE_MS, hour: 60 * MINUTE_MS, day: 24 * 60 * MINUTE_MS };

/** A run may come a little before its time by the clock of whoever leaves the heartbeat. */
const SKEW_MS = MINUTE_MS;

/** The shortest and the longest time that a run may be late: EventBridge Scheduler tries for an hour, and what it starts takes a while. */
const GRACE_MS = { least: 5 * MINUTE_MS, most: 75 * MINUTE_MS } as const;

/** Milliseconds between two runs of a `rate(...)`; undefined for a cron. */
export function rateMs({ expression }: Timing): number | undefined {
  const [, count, unit = ''] = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(expression) ?? [];
  const unitMs = UNITS[unit];
  return count === undefined || unitMs === undefined ? undefined : Number(count) * unitMs;
}

/** When a schedule runs next after it ran; undefined where it never does again. @throws GatehouseError `BAD_SCHEDULE` */
export function nextRun(timing: Timing, ran: Date): Date | undefined {
  const rate = rateMs(timing);
  if (rate !== undefined) return new Date(ran.getTime() + rate);
  return nextOccurrence(timing, new Date(ran.getTime() + SKEW_MS));
}

/** How late a run may be that is expected at a time. */
export function graceMs(timing: Timing, expected: Date): number {
  const following = nextRun(timing, expected);
  const interval = following === undefined ? Infinity : following.getTime() - expected.getTime();
  return Math.min(GRACE_MS.most, Math.max(GRACE_MS.least, interval));
}

/**
 * The first time after another one that a cron names. Where the clock is put forward, a time that does not exist is skipped; where it is
 * put back, a time counts once: as EventBridge Scheduler does it.
 */
export function nextOccurrence({ expression, timezone }: Timing, after: Date): Date | undefined {
  const problem = cronProblem(expression);
  const fields = /^cron\((.*)\)$/.exec(expression)?.[1]?.trim().split(/\s+/);
  if (problem !== undefined || fields === undefined)
    throw new GatehouseError('BAD_SCHEDULE', `${expression} is no schedule: ${problem ?? 'expected cron(...)'}`, {
      expression,
    });
  const cron = new Cron(cronerPattern(fields), { timezone, paused: true });
  const wallClock = wallClockIn(timezone);
  for (let next = cron.nextRun(after); next !== null; next = cron.nextRun(next)) {
    const [at, shown] = [next.getTime(), wallClock(next)];
    const isRepeated = [30, 60].some((minutes) => wallClock(new Date(at - minutes * MINUTE_MS)) === shown);
    if (!isRepeated && cron.match(next)) return next;
  }
  return undefined;
}

/** The date and time that clocks of a time zone show. */
function wallClockIn(timeZone: string): (at: Date) => string {
  const format = new Intl.DateTimeFormat('en', { timeZone, dateStyle: 'short', timeStyle: 'medium' });
  return (at) => format.format(at);
}
