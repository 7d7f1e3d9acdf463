import { z } from 'zod';
import { graceMs, nextOccurrence, nextRun, rateMs } from './next-run.ts';
import type { Timing } from './schedules.ts';

const HOUR_MS = 3_600_000;
/** So many runs that were missed are counted one by one; more are as bad. */
const COUNTED = 100;

/** That a schedule ran, as whoever is scheduled says. */
export const Heartbeat = z.strictObject({ at: z.iso.datetime() });

/** When a schedule is to run next, and what that was reckoned from. */
export const ExpectedRun = z.strictObject({
  expression: z.string().min(1),
  timezone: z.string().min(1),
  /** The newest heartbeat as it was written; null where none was ever left. */
  heartbeat: z.iso.datetime().nullable(),
  /** The run that the next one follows: the newest heartbeat, or when the schedule was first seen. */
  countedFrom: z.iso.datetime(),
  /** Null where it never runs again. */
  expectedAt: z.iso.datetime().nullable(),
  /** The first run that was missed since the newest heartbeat, and how many were. */
  missedSince: z.iso.datetime().nullable(),
  missed: z.int().nonnegative(),
  /** When people were told last. */
  alertedAt: z.iso.datetime().nullable(),
});
export type ExpectedRun = z.infer<typeof ExpectedRun>;

/** A round of the supervisor: which schedules it looked at, and since when it has done so without a break. */
export const SupervisionRound = z.strictObject({
  at: z.iso.datetime(),
  since: z.iso.datetime(),
  schedules: z.array(z.string().min(1)),
});
export type SupervisionRound = z.infer<typeof SupervisionRound>;

/** Runs that did not come: the first of them, and how many there are. */
export interface Missed {
  readonly expectedAt: string;
  readonly runs: number;
}

export interface Seen {
  readonly timing: Timing;
  readonly known: ExpectedRun | undefined;
  /** Whether the round before did not look at it: the schedule, or its model, was not deployed then. */
  readonly isNew: boolean;
  readonly heartbeat: string | undefined;
  /** Since when somebody looks: who looks again after a break lets everybody catch up first. */
  readonly supervisedSince: Date;
  readonly now: Date;
}

/**
 * What is expected of a schedule after it was looked at, and what it has missed. A schedule that is new or was changed counts from now. A
 * heartbeat that is new proves a run since the last look, but never one in the future: clocks of whoever leaves it may be wrong.
 */
export function expectRun(seen: Seen): { readonly expected: ExpectedRun; readonly missed?: Missed } {
  const { timing, known, heartbeat = null, now } = seen;
  const isChanged = known?.expression !== timing.expression || known.timezone !== timing.timezone;
  if (known === undefined || seen.isNew || isChanged)
    return { expected: countedFrom(timing, { heartbeat, from: now, alertedAt: null }) };
  const expected = heartbeat === null || heartbeat === known.heartbeat ? known : after(known, heartbeat, seen);
  if (expected.expectedAt === null) return { expected };
  const due = new Date(expected.expectedAt);
  const grace = graceMs(timing, due);
  const isLate = now.getTime() > Math.max(due.getTime(), seen.supervisedSince.getTime()) + grace;
  // Of what runs each minute people are told once an hour: the next alert says how many runs there were.
  const { alertedAt } = expected;
  if (!isLate || (alertedAt !== null && now.getTime() - Date.parse(alertedAt) < HOUR_MS)) return { expected };
  const runs = runsBetween(timing, due, new Date(now.getTime() - grace));
  return {
    expected: {
      ...expected,
      expectedAt: runAfter(timing, due, new Date(now.getTime() - grace))?.toISOString() ?? null,
      missedSince: expected.missedSince ?? expected.expectedAt,
      missed: expected.missed + runs,
      alertedAt: now.toISOString(),
    },
    missed: { expectedAt: expected.expectedAt, runs },
  };
}

/** What is expected after a heartbeat that was not known: it ran since the last look, and not in the future. */
function after(known: ExpectedRun, heartbeat: string, { timing, now }: Seen): ExpectedRun {
  const ran = Math.max(Date.parse(known.countedFrom), Math.min(Date.parse(heartbeat), now.getTime()));
  return countedFrom(timing, { heartbeat, from: new Date(ran), alertedAt: known.alertedAt });
}

function countedFrom(
  { expression, timezone }: Timing,
  { from, ...given }: { readonly from: Date } & Pick<ExpectedRun, 'heartbeat' | 'alertedAt'>,
): ExpectedRun {
  return {
    expression,
    timezone,
    ...given,
    countedFrom: from.toISOString(),
    expectedAt: nextRun({ expression, timezone }, from)?.toISOString() ?? null,
    missedSince: null,
    missed: 0,
  };
}

/** How many runs there were to be from one that was due, which counts, until a time. */
function runsBetween(timing: Timing, due: Date, until: Date): number {
  const rate = rateMs(timing);
  if (rate !== undefined) return 1 + Math.max(0, Math.floor((until.getTime() - due.getTime()) / rate));
  let runs = 1;
  for (let next = nextOccurrence(timing, due); next !== undefined && next <= until; next = nextOccurrence(timing, next))
    if ((runs += 1) >= COUNTED) break;
  return runs;
}

/** The first run after one that was due, and after a time. */
function runAfter(timing: Timing, due: Date, time: Date): Date | undefined {
  const rate = rateMs(timing);
  const from = Math.max(due.getTime(), time.getTime());
  if (rate === undefined) return nextOccurrence(timing, new Date(from));
  return new Date(due.getTime() + (Math.floor((from - due.getTime()) / rate) + 1) * rate);
}
