// How often the comparison is wrong, and how much it sees: real releases on real days, with the gain between them made what
// it should be. Days stay whole and in their order, so that what makes days alike stays in the trials.
import { digestOf } from '#domain/canonical/digest.ts';
import type { ComparisonCluster, ComparisonMeasure } from '#domain/comparison/measure.ts';
import type { ComparisonRule } from '#domain/policy/policy.ts';
import { judgeComparison } from '#domain/comparison/judge.ts';
import type { DayLoss, Losses } from './outcome.ts';

/** What one release did on one day. */
export interface DaySums extends DayLoss {
  readonly day: string;
}

/** Two releases on the same days, in the order of the days. */
export interface Pair {
  readonly champion: readonly DaySums[];
  readonly candidate: readonly DaySums[];
}

/**
 * How two real releases become two that are equally good. `exchanged`: on each day a coin says which of the two is the
 * candidate, so that neither is better, and days are as alike or different as they are. `as they are`: the later one is the
 * candidate, equal to the other over all their days, and not in each window: what drifts is in it. `twins`: two trainings of
 * one recipe, exchanged like the first.
 */
export type Made = 'exchanged' | 'as they are' | 'twins';

/** How often each verdict was given. */
export interface Trials {
  readonly made: Made;
  readonly days: number;
  /** The gain that the candidate truly has, in the mean over all days. */
  readonly gain: number;
  readonly minimumImprovement: number;
  readonly trials: number;
  readonly promoted: number;
  readonly provisional: number;
}

/** A pair shares eight weeks or more, so that no window is much of what it is centred on; the older one is up to six weeks older. */
const SHARED_DAYS = 56;
const OLDER_WEEKS = 6;

/** Pairs of releases as they meet in the half-year: a candidate, and an older one. */
export function pairsOf<Release extends { readonly id: string; readonly week: number }>(
  pool: readonly Release[],
  daysAfter: (week: number) => readonly string[],
  losses: Losses<Release>,
): Pair[] {
  return pool.flatMap((candidate) => {
    const days = daysAfter(candidate.week);
    if (days.length < SHARED_DAYS) return [];
    const sums = (release: Release): DaySums[] => days.map((day) => ({ day, ...losses(release, day) }));
    return pool
      .filter(({ id, week }) => id !== candidate.id && week < candidate.week && week >= candidate.week - OLDER_WEEKS)
      .map((champion) => ({ champion: sums(champion), candidate: sums(candidate) }));
  });
}

/** Trials begin a week apart, so that a pair has several, which share days where they are longer. */
const APART = 7;

/** The share of windows of so many days in which a candidate of a known gain is promoted. */
export function tryGain(
  pairs: readonly Pair[],
  rule: ComparisonRule,
  { made, days, gain, minimumImprovement }: Pick<Trials, 'made' | 'days' | 'gain' | 'minimumImprovement'>,
): Trials {
  const asked: ComparisonRule = {
    ...rule,
    minimumImprovement,
    minimumImprovementSeeded: Math.max(rule.minimumImprovementSeeded, minimumImprovement),
    minimumDays: Math.min(rule.minimumDays, days),
  };
  let [trials, promoted, provisional] = [0, 0, 0];
  for (const [index, pair] of pairs.entries()) {
    const clusters = withGain(made === 'as they are' ? alike(pair) : exchanged(alike(pair), index), gain);
    for (let first = 0; first + days <= clusters.length; first += APART) {
      const { verdict } = judgeComparison(measureOf(clusters.slice(first, first + days), 1), asked);
      trials += 1;
      if (verdict === 'PROMOTE') promoted += 1;
      if (verdict === 'PROMOTE_PROVISIONALLY') provisional += 1;
    }
  }
  return { made, days, gain, minimumImprovement, trials, promoted, provisional };
}

/** How often an artefact that is compared with itself is promoted. */
export function tryIdentical(pairs: readonly Pair[], rule: ComparisonRule, days: number): Trials {
  let [trials, promoted] = [0, 0];
  for (const { champion } of pairs) {
    const clusters = champion.map((sums) => clusterOf(sums, sums));
    for (let first = 0; first + days <= clusters.length; first += APART) {
      const { verdict } = judgeComparison(measureOf(clusters.slice(first, first + days), 0), rule);
      trials += 1;
      if (verdict === 'PROMOTE' || verdict === 'PROMOTE_PROVISIONALLY') promoted += 1;
    }
  }
  return {
    made: 'as they are',
    days,
    gain: 0,
    minimumImprovement: rule.minimumImprovement,
    trials,
    promoted,
    provisional: 0,
  };
}

/** The pair with the candidate's losses scaled, so that over all days both lose the same. */
function alike({ champion, candidate }: Pair): Pair {
  const total = (days: readonly DaySums[]): number => days.reduce((sum, { logLoss }) => sum + logLoss, 0);
  return { champion, candidate: scaled(candidate, total(champion) / total(candidate)) };
}

/** The pair with both exchanged on the days on which a seeded coin says so. */
function exchanged({ champion, candidate }: Pair, seed: number): Pair {
  const isHeads = champion.map(({ day }) => digestOf(`${seed} ${day}`).charCodeAt('sha256:'.length) % 2 === 0);
  const of = (one: readonly DaySums[], other: readonly DaySums[]): DaySums[] =>
    one.flatMap((sums, index) => (isHeads[index] === true ? (other[index] ?? []) : sums));
  return { champion: of(champion, candidate), candidate: of(candidate, champion) };
}

/** The pair's days as clusters, with the candidate better by a gain on each. */
function withGain({ champion, candidate }: Pair, gain: number): ComparisonCluster[] {
  const better = scaled(candidate, 1 - gain);
  return champion.flatMap((sums, index) => clusterOf(sums, better[index] ?? sums));
}

function scaled(days: readonly DaySums[], by: number): DaySums[] {
  return days.map((sums) => ({ ...sums, logLoss: sums.logLoss * by, brier: sums.brier * by }));
}

function clusterOf(champion: DaySums, candidate: DaySums): ComparisonCluster {
  const { day, rows, positives } = champion;
  const of = ({ logLoss, brier, predicted }: DaySums) => ({ logLoss, brier, predicted });
  return { cluster: day, rows, positives, champion: of(champion), candidate: of(candidate) };
}

/** A measure of sums alone: what only the rows could say is left out, and stands in nobody's way. */
function measureOf(clusters: readonly ComparisonCluster[], greatestDifference: number): ComparisonMeasure {
  const rows = clusters.reduce((sum, cluster) => sum + cluster.rows, 0);
  const counts = {
    rows,
    duplicates: 0,
    notANumber: 0,
    outOfRange: 0,
    hard: 0,
    unmatched: 0,
    missing: 0,
    lowest: 0,
    highest: 1,
    deviation: 0.1,
    auc: null,
    averagePrecision: null,
    pairs: null,
  };
  return {
    formatVersion: 2,
    clusterColumn: 'day',
    clusters: [...clusters],
    slices: [],
    flaws: [],
    comparedRows: rows,
    featureRows: rows,
    duplicateFeatures: 0,
    unlabelled: 0,
    duplicateLabels: 0,
    otherLabels: 0,
    champion: counts,
    candidate: counts,
    greatestDifference,
  };
}
