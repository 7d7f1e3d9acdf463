// The half-year as it could have been known while it went by: with faults in some weeks, or without.
import { addDays, daysBetween } from '#domain/data/partition.ts';
import { judgeData } from '#domain/data/judge-data.ts';
import type { Policy, ProbationRule } from '#domain/policy/policy.ts';
import { judgeLive, type LiveJudgement } from '#domain/comparison/live-judgement.ts';
import type { Schedule } from './faults.ts';
import type { Hindsight } from './hindsight.ts';
import type { HalfYearLake } from './lake.ts';
import { daysBefore, measureServed, type ServedDay } from './live.ts';
import type { HalfYearRelease } from './releases.ts';
import type { Truth } from './rows.ts';
import { heldOut, runWeek, type WeeklyRun } from './runs.ts';
import type { Cycle, LiveWord, World } from './strategies.ts';
import type { Suites } from './suites.ts';

const HOUR = 3_600_000;

/** Weekly cycles from a Monday on; the last one ends with the flights. */
export function cyclesFrom(first: string, weeks: number, lastDay: string): Cycle[] {
  return Array.from({ length: weeks }, (_, index) => {
    const asOf = addDays(first, 7 * index);
    return { week: index + 1, asOf, days: daysBetween(asOf, addDays(asOf, 6)).filter((day) => day <= lastDay) };
  });
}

/** What live judgement is made of. */
export interface Live {
  readonly policy: Policy;
  readonly probation: ProbationRule;
  readonly truth: ReadonlyMap<string, Truth>;
  readonly past: Hindsight;
}

/** What the product's live judgement says at the beginning of a day of a release that was promoted on another. */
export async function judgeServed(
  { policy, probation, truth, past }: Live,
  served: HalfYearRelease,
  shadow: HalfYearRelease,
  { since, day, provisional }: { readonly since: string; readonly day: string; readonly provisional: boolean },
): Promise<LiveJudgement> {
  const days = daysBefore(since, day);
  const [champion, candidate] = [await past.said(shadow, days), await past.said(served, days)];
  const both = days.flatMap((each, index): ServedDay[] => {
    const [of, before, after] = [truth.get(each), champion[index], candidate[index]];
    if (of === undefined || before === undefined || after === undefined) return [];
    return [{ truth: of, champion: before, candidate: after }];
  });
  const now = Date.parse(`${day}T00:00:00Z`);
  const evidence = {
    fast: measureServed(both, now - probation.fast.hours * HOUR, 'entity-day'),
    // It decides when the days are over; before that nobody asks it.
    slow: days.length < probation.days ? null : measureServed(both, now, 'day'),
    days: days.length,
    isProvisional: provisional,
  };
  return judgeLive(evidence, policy.comparison, probation);
}

/** A world of the product's own parts. */
export function worldOf(
  parts: Live & {
    readonly lake: HalfYearLake;
    readonly cycles: readonly Cycle[];
    readonly first: HalfYearRelease;
    readonly schedule: Schedule;
    readonly suites: Suites;
  },
): World<HalfYearRelease> & { runOf(cycle: Cycle): Promise<WeeklyRun | undefined> } {
  const { lake, policy, cycles, first, schedule, suites } = parts;
  const runs = new Map<number, Promise<WeeklyRun | undefined>>();
  const runOf = ({ week, asOf }: Cycle): Promise<WeeklyRun | undefined> => {
    // The first week's release was there before.
    const run =
      runs.get(week) ?? (week === 1 ? Promise.resolve(undefined) : runWeek(lake, week, asOf, schedule.get(week)));
    runs.set(week, run);
    return run;
  };
  return {
    cycles,
    first,
    runOf,
    async offer(cycle) {
      const run = await runOf(cycle);
      if (run === undefined) return undefined;
      return { release: run.candidate, fault: run.fault, dataFlaws: await dataFlaws(run, policy, suites) };
    },
    async heldOut(cycle, champion) {
      const run = await runOf(cycle);
      if (run === undefined) throw new RangeError(`week ${cycle.week} has no run`);
      return heldOut(lake, policy, run, champion);
    },
    async judge(served, shadow, since, day, provisional): Promise<LiveWord> {
      const { verdict, rule, reason, slow } = await judgeServed(parts, served, shadow, { since, day, provisional });
      // What was proven on the held-out days is watched for as long, and needs no second proof.
      if (verdict === 'WAIT' && !provisional && daysBefore(since, day).length >= parts.probation.days)
        return { verdict: 'CONFIRM', by: 'fast', reason: 'the fast rule did not roll it back' };
      return { verdict, by: rule, reason, isInconclusive: rule === 'slow' && slow?.verdict === 'INCONCLUSIVE' };
    },
  };
}

/** Why a run's data should not be trained on: the product's judgement of the days that it trains, chooses and tests on. */
async function dataFlaws({ catalogue, days }: WeeklyRun, { data }: Policy, suites: Suites): Promise<readonly string[]> {
  if (data === undefined) return [];
  const used = catalogue.partitions.filter(({ day }) => day >= days.first && day <= days.last);
  const span = { from: days.first, to: days.last };
  const checked = await suites(used);
  return judgeData({ catalogue: catalogue.partitions, checked, span, used, refused: [], training: null }, data).reasons;
}
