import type { ComparisonCluster, ComparisonMeasure } from '../comparison/measure.ts';
import { Day } from '../model/definition.ts';
import type { Interval } from '../comparison/judgement.ts';
import { comparePaired, sum } from '../statistics/paired-comparison.ts';
import { type Ratio, ratioOfSums } from '../statistics/ratio.ts';

/** Fewest days of a week of which an interval is told: with three, a t interval is more than twice as wide as with six. */
export const MINIMUM_WEEK_DAYS = 4;

/** What one model did in a week. */
export interface WeekOfModel {
  /** Mean log loss per row, in nats. */
  readonly logLoss: number;
  /** Observed / predicted positives; null where none was predicted. */
  readonly calibration: Ratio | null;
}

/** The days of an ISO week that were compared. */
export interface WeekFigures {
  /** As ISO 8601 writes it, e.g. `2001-W09`. */
  readonly week: string;
  readonly first: string;
  readonly last: string;
  readonly days: number;
  readonly rows: number;
  readonly positives: number;
  readonly champion: WeekOfModel;
  readonly candidate: WeekOfModel;
  /** Relative gain in log loss; no interval where the week has too few days. */
  readonly gain: { readonly point: number; readonly interval: Interval | null };
}

/** The figures of each week, in their order; undefined where rows are not clustered by single days, which no week can be told from. */
export function weeksOf(
  { clusterColumn, blockDays, clusters }: Pick<ComparisonMeasure, 'clusterColumn' | 'blockDays' | 'clusters'>,
  confidence: number,
): readonly WeekFigures[] | undefined {
  if (
    clusterColumn !== 'day' ||
    blockDays !== undefined ||
    !clusters.every(({ cluster }) => Day.safeParse(cluster).success)
  )
    return undefined;
  const days = clusters.toSorted((a, b) => (a.cluster < b.cluster ? -1 : 1));
  const weeks = Map.groupBy(days, ({ cluster }) => isoWeek(cluster));
  return [...weeks].map(([week, of]) => weekOf(week, of, confidence));
}

function weekOf(week: string, days: readonly ComparisonCluster[], confidence: number): WeekFigures {
  const rows = sum(days, (day) => day.rows);
  const hasIntervals = days.length >= MINIMUM_WEEK_DAYS;
  const model = (side: 'champion' | 'candidate'): WeekOfModel => {
    const observed = days.map((day) => ({ observed: day.positives, expected: day[side].predicted }));
    const ratio = ratioOfSums(observed, confidence);
    return {
      logLoss: sum(days, (day) => day[side].logLoss) / rows,
      calibration: ratio === undefined ? null : { ...ratio, interval: hasIntervals ? ratio.interval : null },
    };
  };
  const [champion, candidate] = [model('champion'), model('candidate')];
  const losses = days.map((day) => ({ champion: day.champion.logLoss, candidate: day.candidate.logLoss }));
  const gain = hasIntervals ? comparePaired(losses, confidence) : undefined;
  return {
    week,
    first: days[0]?.cluster ?? '',
    last: days.at(-1)?.cluster ?? '',
    days: days.length,
    rows,
    positives: sum(days, (day) => day.positives),
    champion,
    candidate,
    gain: {
      point: 1 - candidate.logLoss / champion.logLoss,
      interval: gain === undefined ? null : [gain.lowerBound, gain.upperBound],
    },
  };
}

/** The ISO 8601 week of a day: weeks begin on Monday, and belong to the year that has their Thursday. */
export function isoWeek(day: string): string {
  const date = new Date(`${day}T00:00:00Z`);
  const thursday = new Date(date.getTime() + (4 - (date.getUTCDay() || 7)) * 86_400_000);
  const year = thursday.getUTCFullYear();
  const week = Math.floor((thursday.getTime() - Date.UTC(year, 0, 1)) / (7 * 86_400_000)) + 1;
  return `${String(year)}-W${String(week).padStart(2, '0')}`;
}
