// Two trainings of one recipe: the same week, window, program and seed, one on the odd days of the window and one on the even
// ones. Neither is better but by chance, and they differ as two trainings do, not as releases of different months.
import { addDays, daysBetween } from '#domain/data/partition.ts';
import { planWindows } from '#domain/data/windows.ts';
import type { HalfYearLake } from './lake.ts';
import type { Losses } from './outcome.ts';
import { atOnce } from './chunks.ts';
import { type HalfYearRelease, releaseOf } from './releases.ts';
import { FIRST_DAY, trainOn } from './runs.ts';
import type { Cycle } from './strategies.ts';
import type { DaySums, Pair } from './studies.ts';

/** Weeks whose twins are trained: the growing window is a month long by the first, and eight weeks follow the last. */
const TWIN_WEEKS = [4, 6, 8, 10, 12, 14];
/** How often each pair is exchanged anew: with so few pairs, one coin a day would be all that is seen. */
const COINS = 20;

export type Twins = readonly [odd: HalfYearRelease, even: HalfYearRelease];

/** Trains the twins of some weeks, as the run of the week would have trained its growing window. */
export async function trainTwins(lake: HalfYearLake, cycles: readonly Cycle[]): Promise<readonly Twins[]> {
  const found = new Map<number, Twins>();
  const wanted = cycles.filter(({ week }) => TWIN_WEEKS.includes(week));
  await atOnce('twins', wanted, async ({ week, asOf }) => {
    const plan = planWindows(lake.definition, asOf, { first: FIRST_DAY, last: addDays(asOf, -1) });
    const window =
      plan.kind === 'planned'
        ? plan.windows.toSorted((a, b) => (a.events.first < b.events.first ? -1 : 1))[0]
        : undefined;
    if (window === undefined) return;
    const features = await lake.features(lake.clean, daysBetween(window.events.first, window.events.last));
    const half = async (rest: 0 | 1): Promise<HalfYearRelease> => {
      const own = features.filter((_, index) => index % 2 === rest);
      return releaseOf(await trainOn(lake, lake.clean, window, own), week, `week ${week}, half ${rest}`);
    };
    found.set(week, [await half(0), await half(1)]);
  });
  return [...found].toSorted(([a], [b]) => a - b).map(([, twins]) => twins);
}

/** The twins on the days that they could have served, each pair as often as it is exchanged. */
export function pairsOfTwins(
  twins: readonly Twins[],
  daysAfter: (week: number) => readonly string[],
  losses: Losses<HalfYearRelease>,
): readonly Pair[] {
  const pairs = twins.map(([odd, even]): Pair => {
    const sums = (release: HalfYearRelease): DaySums[] =>
      daysAfter(release.week).map((day) => ({ day, ...losses(release, day) }));
    return { champion: sums(odd), candidate: sums(even) };
  });
  return Array.from({ length: COINS }, () => pairs).flat();
}
