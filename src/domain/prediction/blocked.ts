import { z } from 'zod';
import { causesByDay, type RefusedDay } from '../data/build-refusals.ts';
import type { MissingPartition } from '../data/feature-plan.ts';
import type { OpenRefusal } from '../data/open-refusal.ts';

/** A day that cannot be scored yet, and the partitions that it waits for. */
export interface WaitingDay {
  readonly day: string;
  readonly missing: readonly MissingPartition[];
}

/** What a day waits for, in one line. */
export function waitingText({ day, missing }: WaitingDay): string {
  return `${day} waits for ${missing.map(({ kind, day: of }) => `${kind} of ${of}`).join(', ')}`;
}

/** The waiting days that wait for a refused partition: it does not come by itself. Each has the first such refusal as its cause. */
export function waitingForRefused(waiting: readonly WaitingDay[], refusals: readonly OpenRefusal[]): RefusedDay[] {
  const of = new Map(refusals.map((refusal) => [`${refusal.kind} ${refusal.day}`, refusal]));
  return waiting.flatMap(({ day, missing }) => {
    const refusal = missing.map((part) => of.get(`${part.kind} ${part.day}`)).find((each) => each !== undefined);
    if (refusal === undefined) return [];
    const { rule, found, remedy, kind } = refusal;
    return [{ day, rule, found: `${found}; ${kind} of ${refusal.day} are not admitted`.slice(0, 600), remedy }];
  });
}

/** The cause of each day that a run was to score and did not; a day that nothing was said of says so. */
export function unscoredDays(
  days: readonly string[],
  refused: Parameters<typeof causesByDay>[1],
): readonly RefusedDay[] {
  const known = new Map(causesByDay(days, refused).map((each) => [each.day, each]));
  return days.map(
    (day) =>
      known.get(day) ?? {
        day,
        rule: 'due-days-scored' as const,
        found: 'no predictions were made, and no batch said why',
        remedy: 'read the logs of the functions features and score',
      },
  );
}

/** The cause of each day of aggregates that a run was to list and that is not built; a day that nothing was said of says so. */
export function unbuiltDays(days: readonly string[], refused: readonly RefusedDay[]): readonly RefusedDay[] {
  return days.map(
    (day) =>
      refused.find((each) => each.day === day) ?? {
        day,
        rule: 'aggregates-built' as const,
        found: 'its daily aggregate is not built, and no batch said why',
        remedy: 'read the log of the function features',
      },
  );
}

/** How a batch run may end. */
export const RunStatus = z.enum([
  'published',
  'withdrawn',
  'blocked',
  'waiting',
  'up-to-date',
  'no-data',
  'nothing-served',
]);
export type RunStatus = z.infer<typeof RunStatus>;

/**
 * How a batch run ended: `blocked` where days were due and none of them could be published, `waiting` where all that is left
 * waits for data that has not arrived, `no-data` where no events were ever admitted.
 */
export function runStatus(run: {
  readonly planned: 'planned' | 'nothing-served';
  /** Partitions and lists of aggregates. */
  readonly published: number | undefined;
  readonly publication: 'published' | 'kept' | 'withdrawn' | undefined;
  readonly blocked: number;
  readonly waiting: number;
  /** The days that are to be kept scored; undefined where nothing is served. */
  readonly days: number | undefined;
}): RunStatus {
  const { planned, publication, published = 0, blocked, waiting, days } = run;
  if (publication === 'withdrawn') return publication;
  if (published === 0 && blocked > 0) return 'blocked';
  if (publication === 'published') return publication;
  if (planned !== 'planned') return planned;
  if (days === 0) return 'no-data';
  return waiting > 0 ? 'waiting' : 'up-to-date';
}
