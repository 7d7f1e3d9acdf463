// What is done with a week's candidate: the habits that are common, and the pipeline's own rule. Everything here is decided
// from what was known at the time; what came of it is told afterwards.
import type { ComparisonRule } from '#domain/policy/policy.ts';
import type { GateResult } from '#domain/gates/gate.ts';
import { betterThanChampion } from '#domain/gates/gates/better-than-champion.ts';
import { metricBaseline } from '#domain/gates/gates/metric-baseline.ts';
import type { HeldOut } from './runs.ts';

/** A way to decide. */
export interface Strategy {
  readonly name: string;
  readonly decides: 'never' | 'newest' | 'holdout' | 'rows' | 'gates';
  /** Whether what is likely, and not proven, is promoted. */
  readonly provisional?: true;
  /** Whether what is served is judged as its labels arrive, and rolled back. */
  readonly live?: true;
  /** Whether what is inconclusive when its days are over is rolled back, instead of staying where the labels say better. */
  readonly dropsInconclusive?: true;
}

export const OURS = 'ours: gates, probation, live judgement';
export const STRATEGIES: readonly Strategy[] = [
  { name: 'never retrain', decides: 'never' },
  { name: 'always the newest', decides: 'newest' },
  { name: 'better on the holdout', decides: 'holdout' },
  { name: 'row-level test', decides: 'rows' },
  { name: 'gates only', decides: 'gates' },
  { name: 'gates and live judgement', decides: 'gates', live: true },
  {
    name: 'ours, if what is not proven after its probation went',
    decides: 'gates',
    provisional: true,
    live: true,
    dropsInconclusive: true,
  },
  { name: OURS, decides: 'gates', provisional: true, live: true },
];

/** A week: the run at the beginning of its first day, and the days that are served after it. */
export interface Cycle {
  readonly week: number;
  readonly asOf: string;
  readonly days: readonly string[];
}

/** What a run offers, and why its data should not be trusted. */
export interface Offer<Release> {
  readonly release: Release;
  readonly fault?: string | undefined;
  readonly dataFlaws: readonly string[];
}

/** What is said of a release that is being served. */
export interface LiveWord {
  readonly verdict: 'CONFIRM' | 'ROLL_BACK' | 'WAIT';
  /** The rule that decided. */
  readonly by: string;
  readonly reason: string;
  /** Whether it is rolled back for want of proof alone. */
  readonly isInconclusive?: boolean;
}

/** What can be known while the half-year goes by. */
export interface World<Release> {
  readonly cycles: readonly Cycle[];
  readonly first: Release;
  offer(cycle: Cycle): Promise<Offer<Release> | undefined>;
  /** The week's candidate against a release, on the days that were held out. */
  heldOut(cycle: Cycle, champion: Release): Promise<HeldOut>;
  /** What the labels say, that had arrived by the beginning of a day, of a release that was promoted on another. */
  judge(served: Release, shadow: Release, since: string, day: string, provisional: boolean): Promise<LiveWord>;
}

/** What was done, and why. */
export type Act<Release> = {
  readonly week: number;
  readonly day: string;
  readonly release: Release;
  readonly fault?: string | undefined;
  /** The rule that decided, and what it said. */
  readonly by: string;
  readonly reason: string;
} & (
  | { readonly kind: 'promoted'; readonly replaced: Release; readonly provisional: boolean }
  | { readonly kind: 'refused'; readonly serving: Release }
  | { readonly kind: 'rolled back' | 'confirmed'; readonly since: string }
);

/** What was served on which day, and what was done. */
export interface Course<Release> {
  readonly served: ReadonlyMap<string, Release>;
  readonly acts: readonly Act<Release>[];
}

interface Probation<Release> {
  readonly shadow: Release;
  readonly since: string;
  readonly provisional: boolean;
  readonly fault: string | undefined;
}

/** Goes through the half-year day by day. One release at a time is on probation, and what was rolled back never returns. */
export async function follow<Release extends { readonly id: string }>(
  strategy: Strategy,
  rule: ComparisonRule,
  world: World<Release>,
): Promise<Course<Release>> {
  const served = new Map<string, Release>();
  const acts: Act<Release>[] = [];
  const quarantined = new Set<string>();
  let serving = world.first;
  let probation: Probation<Release> | undefined;
  for (const cycle of world.cycles) {
    for (const day of cycle.days) {
      if (probation !== undefined && day > probation.since) {
        const { shadow, since, provisional, fault } = probation;
        const { by, reason, ...word } = await world.judge(serving, shadow, since, day, provisional);
        const goes = strategy.dropsInconclusive === true && word.isInconclusive === true;
        const verdict = goes ? 'ROLL_BACK' : word.verdict;
        if (verdict !== 'WAIT') {
          const kind = verdict === 'CONFIRM' ? 'confirmed' : 'rolled back';
          acts.push({ kind, week: cycle.week, day, release: serving, since, by, reason, fault });
          if (verdict === 'ROLL_BACK') {
            quarantined.add(serving.id);
            serving = shadow;
          }
          probation = undefined;
        }
      }
      if (day === cycle.asOf) {
        const offer = await world.offer(cycle);
        if (offer !== undefined) {
          const { release, fault } = offer;
          const about = { week: cycle.week, day, release, fault };
          const decided = quarantined.has(release.id)
            ? { promotes: false, by: 'quarantine', reason: 'it was rolled back before' }
            : probation !== undefined
              ? { promotes: false, by: 'probation', reason: 'another release is on probation' }
              : await decide(strategy, rule, offer, () => world.heldOut(cycle, serving));
          if (decided.promotes) {
            const { provisional = false, by, reason } = decided;
            acts.push({ kind: 'promoted', ...about, replaced: serving, provisional, by, reason });
            if (strategy.live === true) probation = { shadow: serving, since: day, provisional, fault };
            serving = release;
          } else acts.push({ kind: 'refused', ...about, serving, by: decided.by, reason: decided.reason });
        }
      }
      served.set(day, serving);
    }
  }
  return { served, acts };
}

interface Decision {
  readonly promotes: boolean;
  readonly provisional?: boolean;
  readonly by: string;
  readonly reason: string;
}

/** One-sided 5 % point of the normal distribution: what a test by rows asks for. */
const NORMAL_95 = 1.645;

async function decide<Release>(
  strategy: Strategy,
  rule: ComparisonRule,
  offer: Offer<Release>,
  heldOut: () => Promise<HeldOut>,
): Promise<Decision> {
  switch (strategy.decides) {
    case 'never':
      return { promotes: false, by: 'never', reason: 'nothing is retrained' };
    case 'newest':
      return { promotes: true, by: 'newest', reason: 'it is the newest' };
    case 'holdout': {
      const { champion, candidate } = (await heldOut()).byRows;
      const reason = `log loss ${candidate.toFixed(4)} against ${champion.toFixed(4)}`;
      return { promotes: candidate < champion, by: 'holdout', reason };
    }
    case 'rows': {
      const { z } = (await heldOut()).byRows;
      return { promotes: z > NORMAL_95, by: 'rows', reason: `z = ${z.toFixed(2)}` };
    }
    case 'gates': {
      if (offer.dataFlaws.length > 0)
        return { promotes: false, by: 'data-validated', reason: offer.dataFlaws.join('; ') };
      return passes(await heldOut(), rule, strategy.provisional === true);
    }
  }
}

/** The gates that compare, as the promotion evaluates them: each has to pass, and a provisional pass needs a probation. */
function passes({ measure }: HeldOut, rule: ComparisonRule, knowsProbation: boolean): Decision {
  const better = betterThanChampion(measure, rule);
  const gates = [['metric-baseline', metricBaseline(measure, rule)] as const, [ruleOf(better), better] as const];
  const provisional = better.provisional === true;
  const failed = gates.filter(([, { verdict }]) => verdict !== 'PASS');
  const promotes = failed.length === 0 && (knowsProbation || !provisional);
  const told = failed.length > 0 ? failed : gates.slice(1);
  return {
    promotes,
    provisional,
    by: told.map(([by]) => by).join(', '),
    reason: told.flatMap(([, { reasons }]) => reasons).join('; '),
  };
}

/** The rule of the comparison that decided, which its first reason begins with. */
function ruleOf({ reasons }: GateResult): string {
  return reasons[0]?.split(':')[0] ?? '';
}
