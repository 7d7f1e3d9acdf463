// Lets each strategy go through a world, and tells in hindsight how it fared.
import type { ComparisonRule } from '#domain/policy/policy.ts';
import { rank } from '#domain/statistics/ranking.ts';
import { FAULTS, type FaultKind, type Schedule } from './faults.ts';
import type { Hindsight } from './hindsight.ts';
import { daysServed, gainOf, type Outcome, outcomeOf } from './outcome.ts';
import { progress } from './chunks.ts';
import type { HalfYearRelease } from './releases.ts';
import type { Truth } from './rows.ts';
import { type Act, type Course, type Cycle, follow, type Strategy, type World } from './strategies.ts';

/** A strategy's way through a world. */
export interface Played {
  readonly strategy: Strategy;
  readonly course: Course<HalfYearRelease>;
  readonly outcome: Outcome;
  /** Area under the precision-recall curve of all that was served. */
  readonly averagePrecision: number;
}

/** What hindsight is made of. */
export interface Hind {
  readonly past: Hindsight;
  readonly truth: ReadonlyMap<string, Truth>;
  /** What could have been served in a week: the releases of runs without faults. */
  readonly poolOf: (cycle: Cycle) => readonly HalfYearRelease[];
}

/** Plays a world with each strategy in turn. */
export async function play(
  name: string,
  strategies: readonly Strategy[],
  rule: ComparisonRule,
  world: World<HalfYearRelease>,
  hind: Hind,
): Promise<Played[]> {
  const played: Played[] = [];
  const bar = progress(`strategies, ${name}`, strategies.length);
  for (const strategy of strategies) {
    const course = await follow(strategy, rule, world);
    await hind.past.know(needed(course, world.cycles));
    const outcome = outcomeOf(course, world.cycles, hind.past.losses, hind.poolOf);
    played.push({ strategy, course, outcome, averagePrecision: await averagePrecisionOf(course, hind) });
    bar();
  }
  return played;
}

/** What has to be known to judge a course: what was served, and both sides of each decision in its week. */
function needed({ served, acts }: Course<HalfYearRelease>, cycles: readonly Cycle[]) {
  const byRelease = Map.groupBy(served, ([, release]) => release);
  const weekOf = ({ week }: { readonly week: number }): readonly string[] => cycles[week - 1]?.days ?? [];
  return [
    ...[...byRelease].map(([release, days]) => ({ release, days: days.map(([day]) => day) })),
    ...acts.flatMap((act) => {
      const other = act.kind === 'promoted' ? [act.replaced] : act.kind === 'refused' ? [act.serving] : [];
      return [act.release, ...other].map((release) => ({ release, days: weekOf(act) }));
    }),
  ];
}

async function averagePrecisionOf({ served }: Course<HalfYearRelease>, { past, truth }: Hind): Promise<number> {
  const days = [...served.keys()].flatMap((day) => truth.get(day) ?? []);
  const rows = days.reduce((sum, { late }) => sum + late.length, 0);
  const [scores, positive] = [new Float64Array(rows), new Uint8Array(rows)];
  let row = 0;
  for (const { day, late } of days) {
    const release = served.get(day);
    const [said] = release === undefined ? [] : await past.said(release, [day]);
    scores.set(said ?? [], row);
    positive.set(late, row);
    row += late.length;
  }
  return rank({ scores, positive, sizes: [rows] }).averagePrecision ?? Number.NaN;
}

/** What became of one seeded fault. */
export interface FaultFate {
  readonly week: number;
  readonly kind: FaultKind;
  readonly meaning: string;
  readonly fate: 'blocked' | 'rolled back' | 'served';
  /** Days that it was served. */
  readonly days: number;
  /** What its release would have gained (or, negative, lost) in its week against what served: told in hindsight. */
  readonly gain: number;
  /** The rule that decided last. */
  readonly by: string;
}

/** What a strategy made of each fault. */
export function fatesOf({ course }: Played, schedule: Schedule, cycles: readonly Cycle[], { past }: Hind): FaultFate[] {
  return [...schedule].flatMap(([week, kind]): FaultFate[] => {
    const decided = course.acts.find((act) => act.week === week && (act.kind === 'promoted' || act.kind === 'refused'));
    if (decided === undefined) return [];
    const other = otherOf(decided);
    const gain = gainOf(decided.release, other, cycles[week - 1]?.days ?? [], past.losses);
    const about = { week, kind, meaning: FAULTS[kind].meaning, gain };
    if (decided.kind === 'refused') return [{ ...about, fate: 'blocked', days: 0, by: decided.by }];
    const days = daysServed(decided, course.served);
    const back = course.acts.find(
      (act) => act.kind === 'rolled back' && act.since === decided.day && act.release.id === decided.release.id,
    );
    return [
      back === undefined
        ? { ...about, fate: 'served', days, by: decided.by }
        : { ...about, fate: 'rolled back', days, by: `${back.by} rule` },
    ];
  });
}

/** What was decided in a week, and what would have come of the other choice. */
export interface DiaryEntry {
  readonly week: number;
  readonly title: string;
  readonly fault: string | undefined;
  readonly kind: Act<HalfYearRelease>['kind'];
  readonly provisional: boolean;
  readonly by: string;
  readonly reason: string;
  /** What the release gained in the week against what it was compared with. */
  readonly gain: number | null;
}

/** What a strategy did, act by act. */
export function diaryOf({ course }: Played, cycles: readonly Cycle[], { past }: Hind): DiaryEntry[] {
  return course.acts.map((act) => {
    const { week, release, fault, kind, by, reason } = act;
    const isDecision = act.kind === 'promoted' || act.kind === 'refused';
    const gain = isDecision ? gainOf(release, otherOf(act), cycles[week - 1]?.days ?? [], past.losses) : null;
    const provisional = act.kind === 'promoted' && act.provisional;
    return { week, title: release.title, fault, kind, provisional, by, reason, gain };
  });
}

function otherOf(act: Act<HalfYearRelease>): HalfYearRelease {
  return act.kind === 'promoted' ? act.replaced : act.kind === 'refused' ? act.serving : act.release;
}
