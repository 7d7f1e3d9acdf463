// How soon a release that is served other than it was trained is found, each week anew, and how often a healthy one is
// taken for one. The fast rule waits for labels; how far a release disagrees with the one before needs none.
import { addDays, daysBetween } from '#domain/data/partition.ts';
import { meanDisagreement } from '#domain/comparison/disagreement.ts';
import { FAULTS } from './faults.ts';
import type { HalfYearLake } from './lake.ts';
import { type HalfYearRelease, releaseOf, score } from './releases.ts';
import { predictionsOf } from './rows.ts';
import type { WeeklyRun } from './runs.ts';
import { judgeServed, type Live } from './world.ts';

/** What was seen in one week of a candidate that took the place of the one before. */
export interface SkewTrial {
  readonly week: number;
  readonly isSkewed: boolean;
  /** Whole days after which the fast rule rolled it back; null where it did not within the week. */
  readonly fastDays: number | null;
  /** Mean absolute difference of the logits on the first day served, over the same on the test days. */
  readonly disagreement: number;
}

/** Above this a first day disagrees more than any healthy week of the reference study did. */
export const DISAGREEMENT = 1.3;

/** Serves each week's candidate in place of the one before, as it is and skewed. */
export async function trySkew(
  lake: HalfYearLake,
  live: Live,
  runs: readonly WeeklyRun[],
  onTrial: () => void,
): Promise<SkewTrial[]> {
  const trials: SkewTrial[] = [];
  for (const [index, run] of runs.entries()) {
    const champion = runs[index - 1]?.candidate;
    // The last week is cut short by the end of the flights.
    if (champion === undefined || champion.id === run.candidate.id || !live.truth.has(addDays(run.asOf, 6))) continue;
    for (const isSkewed of [false, true]) {
      const { model, week, title } = run.candidate;
      const served = isSkewed ? releaseOf(model, week, title, FAULTS['serving-skew']) : run.candidate;
      trials.push({
        week,
        isSkewed,
        fastDays: await fastDays(live, served, champion, run.asOf),
        disagreement: await disagreement(lake, live, run, served, champion),
      });
      onTrial();
    }
  }
  return trials;
}

async function fastDays(
  live: Live,
  served: HalfYearRelease,
  shadow: HalfYearRelease,
  since: string,
): Promise<number | null> {
  for (let days = 1; days <= live.probation.days; days += 1) {
    const { verdict, rule } = await judgeServed(live, served, shadow, {
      since,
      day: addDays(since, days),
      provisional: false,
    });
    if (verdict === 'ROLL_BACK' && rule === 'fast') return days;
  }
  return null;
}

async function disagreement(
  lake: HalfYearLake,
  { past }: Live,
  run: WeeklyRun,
  served: HalfYearRelease,
  shadow: HalfYearRelease,
): Promise<number> {
  const { first, last } = run.test.events;
  const features = await lake.features(lake.clean, daysBetween(first, last));
  const heldOut = async (release: HalfYearRelease): Promise<Float64Array[]> =>
    Promise.all((await score(lake, release, features, 'held out')).map(predictionsOf));
  const before = distance(await heldOut(served), await heldOut(shadow));
  return distance(await past.said(served, [run.asOf]), await past.said(shadow, [run.asOf])) / before;
}

/** Mean disagreement of two releases over the same days. */
function distance(a: readonly Float64Array[], b: readonly Float64Array[]): number {
  const days = a.map((day, index) => ({
    cluster: String(index),
    rows: day.length,
    logits: day.reduce((sum, p, row) => sum + Math.abs(logit(p) - logit(b[index]?.[row] ?? Number.NaN)), 0),
  }));
  return meanDisagreement(days) ?? Number.NaN;
}

function logit(probability: number): number {
  const clipped = Math.max(1e-6, Math.min(1 - 1e-6, probability));
  return Math.log(clipped / (1 - clipped));
}
