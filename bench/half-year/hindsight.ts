// What each release says of the days after its training, and what that cost once everything was known. Sums by day are kept
// beside the predictions, so that nothing is summed twice.
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { HalfYearLake } from './lake.ts';
import { logLossOf } from './live.ts';
import { DayLoss } from './outcome.ts';
import { atOnce } from './chunks.ts';
import { type HalfYearRelease, score } from './releases.ts';
import { predictionsOf, type Truth } from './rows.ts';

/** What a missed delay and a false alarm cost. */
export interface CostMatrix {
  readonly miss: number;
  readonly falseAlarm: number;
}

const Kept = z.record(z.string(), DayLoss);

/** What releases say, by release and day. */
export interface Hindsight {
  /** Makes sure that the losses of releases on days are known. */
  readonly know: (
    wanted: readonly { readonly release: HalfYearRelease; readonly days: readonly string[] }[],
  ) => Promise<void>;
  /** @throws RangeError where nobody made sure */
  readonly losses: (release: HalfYearRelease, day: string) => DayLoss;
  /** Predictions in the order of the truth's rows. */
  readonly said: (release: HalfYearRelease, days: readonly string[]) => Promise<Float64Array[]>;
}

/** Opens what is known of the truth. */
export function hindsight(lake: HalfYearLake, truth: ReadonlyMap<string, Truth>, costs: CostMatrix): Hindsight {
  const folder = join(lake.folder, `losses-${costs.miss}-${costs.falseAlarm}`);
  mkdirSync(folder, { recursive: true });
  const known = new Map<string, Map<string, DayLoss>>();
  const fileOf = ({ id }: HalfYearRelease): string => join(folder, `${id.slice('sha256:'.length)}.json`);
  const lossesOf = (release: HalfYearRelease): Map<string, DayLoss> => {
    const found =
      known.get(release.id) ??
      new Map(
        existsSync(fileOf(release))
          ? Object.entries(Kept.parse(JSON.parse(readFileSync(fileOf(release), 'utf8'))))
          : [],
      );
    known.set(release.id, found);
    return found;
  };
  const read = async (release: HalfYearRelease, days: readonly string[]): Promise<Float64Array[]> => {
    const files = await score(lake, release, await lake.features(lake.clean, days), 'served');
    return Promise.all(files.map(predictionsOf));
  };
  // Days are asked for again and again as labels arrive, and by each strategy: 130 KB each.
  const remembered = new Map<string, Float64Array>();
  const said = async (release: HalfYearRelease, days: readonly string[]): Promise<Float64Array[]> => {
    const missing = days.filter((day) => !remembered.has(`${release.id} ${day}`));
    for (const [index, predictions] of (await read(release, missing)).entries())
      remembered.set(`${release.id} ${missing[index] ?? ''}`, predictions);
    return days.flatMap((day) => remembered.get(`${release.id} ${day}`) ?? []);
  };
  return {
    said,
    async know(wanted) {
      const missing = [...Map.groupBy(wanted, ({ release }) => release.id).values()].flatMap((each) => {
        const [one] = each;
        if (one === undefined) return [];
        const own = lossesOf(one.release);
        const left = new Set(each.flatMap(({ days }) => days.filter((day) => !own.has(day))));
        return left.size === 0 ? [] : [{ release: one.release, days: [...left].toSorted() }];
      });
      if (missing.length === 0) return;
      await atOnce('scoring the days that were served', missing, async ({ release, days }) => {
        const own = lossesOf(release);
        for (const [index, predictions] of (await read(release, days)).entries()) {
          const of = truth.get(days[index] ?? '');
          if (of !== undefined) own.set(of.day, lossOf(of, predictions, costs));
        }
        writeFileSync(`${fileOf(release)}.partial`, JSON.stringify(Object.fromEntries(own)));
        renameSync(`${fileOf(release)}.partial`, fileOf(release));
      });
    },
    losses(release, day) {
      const found = lossesOf(release).get(day);
      if (found === undefined) throw new RangeError(`nobody asked what ${release.title} loses on ${day}`);
      return found;
    },
  };
}

function lossOf({ day, late }: Truth, predictions: Float64Array, { miss, falseAlarm }: CostMatrix): DayLoss {
  if (late.length !== predictions.length)
    throw new RangeError(`${predictions.length} predictions for ${late.length} flights of ${day}`);
  // Above this probability an alarm costs less than silence, if the probability is right (Elkan 2001).
  const threshold = falseAlarm / (falseAlarm + miss);
  let [positives, predicted, logLoss, brier, cost] = [0, 0, 0, 0, 0];
  for (const [row, p] of predictions.entries()) {
    const isLate = late[row] === 1;
    positives += Number(isLate);
    predicted += p;
    logLoss += logLossOf(p, isLate);
    brier += (p - Number(isLate)) ** 2;
    if (p >= threshold !== isLate) cost += isLate ? miss : falseAlarm;
  }
  return { rows: late.length, positives, predicted, logLoss, brier, cost };
}
