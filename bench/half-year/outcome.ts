// What came of it: everything here is told in hindsight, from labels that nobody had when it was decided.
import { z } from 'zod';
import { daysBetween } from '#domain/data/partition.ts';
import type { Act, Course, Cycle } from './strategies.ts';

/** Sums over the rows of one day that a release was asked about. */
export const DayLoss = z.strictObject({
  rows: z.number(),
  positives: z.number(),
  predicted: z.number(),
  /** In nats. */
  logLoss: z.number(),
  brier: z.number(),
  /** By the cost matrix, at the threshold that is best for calibrated probabilities. */
  cost: z.number(),
});
export type DayLoss = z.infer<typeof DayLoss>;

/** What a release would have lost on a day. */
export type Losses<Release> = (release: Release, day: string) => DayLoss;

/** How a strategy fared. */
export interface Outcome {
  readonly logLoss: number;
  readonly brier: number;
  /** Cost of a thousand flights. */
  readonly cost: number;
  /** How much more it lost than the best release of each week in hindsight, e.g. 0.005. */
  readonly regret: number;
  /** The same over the second half of the weeks, when every window is filled. */
  readonly lateRegret: number;
  /** What was lost in each week, and what the best release would have lost, in nats: to be drawn. */
  readonly weeks: readonly { readonly own: DayLoss; readonly best: number }[];
  readonly promotions: number;
  /** Promotions of what then lost more, in its first week, than what it replaced. */
  readonly bad: number;
  /** Candidates that were left out, and would have lost `MISSED` less in the week. */
  readonly missed: number;
  readonly rollbacks: number;
  /** Days that each bad promotion was served. */
  readonly daysToRecover: readonly number[];
}

/** A gain that is worth a promotion: the policy's own half a percent. */
const MISSED = 0.005;

/** Tells how a strategy fared against the best release in hindsight of each week's pool. */
export function outcomeOf<Release extends { readonly id: string }>(
  { served, acts }: Course<Release>,
  cycles: readonly Cycle[],
  losses: Losses<Release>,
  poolOf: (cycle: Cycle) => readonly Release[],
): Outcome {
  const total = add([...served].map(([day, release]) => losses(release, day)));
  const best = cycles.map(({ days, ...cycle }) => least(poolOf({ days, ...cycle }), days, losses));
  const own = cycles.map(({ days }) =>
    add(
      days.flatMap((day) =>
        [served.get(day)].flatMap((release) => (release === undefined ? [] : losses(release, day))),
      ),
    ),
  );
  const half = Math.floor(cycles.length / 2);
  const sum = (values: readonly number[]): number => values.reduce((total, each) => total + each, 0);
  const promoted = acts.filter((act) => act.kind === 'promoted');
  const bad = promoted.filter(
    ({ week, release, replaced }) => gainOf(release, replaced, daysOf(cycles, week), losses) < 0,
  );
  return {
    logLoss: total.logLoss / total.rows,
    brier: total.brier / total.rows,
    cost: (1000 * total.cost) / total.rows,
    regret: total.logLoss / sum(best) - 1,
    lateRegret: sum(own.slice(half).map(({ logLoss }) => logLoss)) / sum(best.slice(half)) - 1,
    weeks: own.map((loss, index) => ({ own: loss, best: best[index] ?? Number.NaN })),
    promotions: promoted.length,
    bad: bad.length,
    missed: acts.filter(
      (act) => act.kind === 'refused' && gainOf(act.release, act.serving, daysOf(cycles, act.week), losses) >= MISSED,
    ).length,
    rollbacks: acts.filter(({ kind }) => kind === 'rolled back').length,
    daysToRecover: bad.map((act) => daysServed(act, served)),
  };
}

/** How much less a release loses than another over some days, relative to the other. */
export function gainOf<Release>(
  release: Release,
  other: Release,
  days: readonly string[],
  losses: Losses<Release>,
): number {
  const lossOf = (of: Release): number => add(days.map((day) => losses(of, day))).logLoss;
  return 1 - lossOf(release) / lossOf(other);
}

/** Days from a promotion on that its release was served without a break. */
export function daysServed<Release extends { readonly id: string }>(
  { day, release }: Pick<Act<Release>, 'day' | 'release'>,
  served: ReadonlyMap<string, Release>,
): number {
  const last = [...served.keys()].at(-1) ?? day;
  const days = daysBetween(day, last);
  const ended = days.findIndex((each) => served.get(each)?.id !== release.id);
  return ended < 0 ? days.length : ended;
}

function daysOf(cycles: readonly Cycle[], week: number): readonly string[] {
  return cycles.find((cycle) => cycle.week === week)?.days ?? [];
}

function least<Release>(pool: readonly Release[], days: readonly string[], losses: Losses<Release>): number {
  return Math.min(...pool.map((release) => add(days.map((day) => losses(release, day))).logLoss));
}

/** Sums of sums. */
export function add(losses: readonly DayLoss[]): DayLoss {
  const of = (key: keyof DayLoss): number => losses.reduce((sum, loss) => sum + loss[key], 0);
  return {
    rows: of('rows'),
    positives: of('positives'),
    predicted: of('predicted'),
    logLoss: of('logLoss'),
    brier: of('brier'),
    cost: of('cost'),
  };
}
