import type { CanaryRule } from '../policy/canary.ts';
import { CanaryMinute, type CanaryCounts, NOTHING, plus, settledBy } from './counts.ts';
import { eValueOf, LOG_REJECTS_AT, REJECTS_AT } from './e-process.ts';
import { canaryEvidence, type LogEValues } from './evidence.ts';

/**
 * What a canary leads to: `abort` and `finish` are proven; `inconclusive` ends it where neither is by its deadline; `pause` while there is
 * nothing to judge; else it continues.
 */
export type CanaryVerdict = 'abort' | 'finish' | 'inconclusive' | 'pause' | 'continue';

/** What the closed minutes of a canary say. */
export interface CanaryJudgement {
  readonly verdict: CanaryVerdict;
  readonly found: string;
  /** The end of the minute that ended the canary; null while it goes on. */
  readonly decidedAt: string | null;
  /** Minutes with traffic so far, and how many there must be. */
  readonly minutes: number;
  readonly minutesNeeded: number;
  /** Minutes whose counts are missing, no counts or contradict each other. */
  readonly unusable: number;
  readonly counts: CanaryCounts;
  /** The candidate's share of the requests of each minute that it was judged by, least and greatest; null without one. */
  readonly realisedShare: { readonly least: number; readonly greatest: number } | null;
  /** Values of evidence, and where they decide. A null is of a model without latency objective. */
  readonly eValues: {
    readonly errors: number;
    readonly latency: number | null;
    readonly regression: number;
    readonly notBad: number;
    readonly limit: number;
  };
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** Minutes that a count of the log may take, with what repeats it where it fails. */
const COUNTING_MINUTES = 20;

/**
 * Judges a canary by the closed minutes of its request log, in any order; a minute that comes twice counts once. The first minute that decides
 * ends it, so that whoever looks later, or again, finds the same. Minutes that are missing, or whose counts are none, are not healthy: they stop
 * the clock.
 */
export function judgeCanary(
  rule: CanaryRule,
  state: {
    readonly startedAt: Date;
    readonly now: Date;
    /** The end of the last minute that was closed when the minutes were counted. */
    readonly closedUntil: Date;
    readonly hasLatencyObjective: boolean;
    readonly minutes: readonly unknown[];
  },
): CanaryJudgement {
  const start = state.startedAt.getTime();
  const deadline = start + rule.deadlineHours * HOUR_MS;
  const [now, closedUntil] = [state.now.getTime(), state.closedUntil.getTime()];
  const until = Math.min(now, closedUntil, deadline);
  const { minutes, unusable } = closedMinutes(state.minutes, start, until);
  const clock = canaryClock(rule, start, state.hasLatencyObjective);
  const evidence = canaryEvidence({ ...rule, hasLatencyObjective: state.hasLatencyObjective });
  let counts: CanaryCounts = { candidate: NOTHING, control: NOTHING, champion: NOTHING };
  let realisedShare: CanaryJudgement['realisedShare'] = null;
  const judged = (verdict: CanaryVerdict, found: string, decidedAt: number | null): CanaryJudgement => ({
    verdict,
    found,
    decidedAt: decidedAt === null ? null : new Date(decidedAt).toISOString(),
    minutes: clock.minutes(),
    minutesNeeded: Math.ceil(rule.hours * 60),
    unusable,
    counts,
    realisedShare,
    eValues: shown(evidence.logEValues()),
  });
  for (const { at, minute } of minutes) {
    const each = countsIn(minute);
    const isComplete = minute.candidate !== null && minute.control !== null && minute.champion !== null;
    counts = summed(counts, each);
    evidence.add(each);
    clock.add(at, each, isComplete);
    const total = each.candidate.requests + each.control.requests + each.champion.requests;
    if (total > 0) realisedShare = widened(realisedShare, each.candidate.requests / total);
    const end = at + MINUTE_MS;
    const { errors, latency = -Infinity, regression, notBad } = evidence.logEValues();
    if (rule.noErrors && isComplete && each.candidate.errors > 0 && each.control.errors + each.champion.errors === 0)
      return judged(
        'abort',
        `${each.candidate.errors} errors of the candidate in a minute in which the champion has none`,
        end,
      );
    if (regression >= LOG_REJECTS_AT)
      return judged(
        'abort',
        `more ${errors >= latency ? 'errors' : 'answers above the latency objective'} than the champion: ${foundIn(counts)}`,
        end,
      );
    if (clock.minutes() >= rule.hours * 60 && notBad >= LOG_REJECTS_AT)
      return judged('finish', `no regression, and its error rate is not bad: ${foundIn(counts)}`, end);
  }
  if (now >= deadline)
    return judged(
      'inconclusive',
      `neither a regression nor an error rate that is not bad is proven: ${foundIn(counts)}`,
      deadline,
    );
  const waiting = clock.whyWaiting({ now, closedUntil });
  return waiting === undefined ? judged('continue', foundIn(counts), null) : judged('pause', waiting, null);
}

/**
 * Counts the minutes in which requests came, every arm has data, and each arm that is compared settled some itself within the last minutes that the
 * rule names: what the champion answered for an arm that was late says nothing of the arm. Where one error is too many, minutes in which candidate
 * and champion both fail are left out.
 */
function canaryClock(
  rule: Pick<CanaryRule, 'staleMinutes' | 'closeMinutes' | 'noErrors'>,
  start: number,
  hasLatencyObjective: boolean,
) {
  const stale = rule.staleMinutes * MINUTE_MS;
  const settledAt = { candidate: -Infinity, champion: -Infinity, 'control arm': -Infinity };
  const lateAt = { ...settledAt };
  const compared = (['candidate', 'champion', 'control arm'] as const).filter(
    (arm) => hasLatencyObjective || arm !== 'control arm',
  );
  let minutes = 0;
  return {
    add(at: number, { candidate, control, champion }: CanaryCounts, isComplete: boolean): void {
      for (const [arm, settled, late] of [
        ['candidate', settledBy(candidate), candidate.late],
        ['control arm', settledBy(control), control.late],
        ['champion', settledBy(control) + settledBy(champion), 0],
      ] as const) {
        if (settled > 0) settledAt[arm] = at;
        if (late > 0) lateAt[arm] = at;
      }
      const isUsed = candidate.requests + control.requests + champion.requests > 0;
      const isLeftOut = rule.noErrors && candidate.errors > 0;
      if (isComplete && isUsed && !isLeftOut && compared.every((arm) => at - settledAt[arm] < stale)) minutes += 1;
    },
    minutes: () => minutes,
    /** Measured against what was counted: the minutes after it are not closed yet, and nobody knows them. */
    whyWaiting({ now, closedUntil }: { readonly now: number; readonly closedUntil: number }): string | undefined {
      if (now - closedUntil > stale + (rule.closeMinutes + COUNTING_MINUTES) * MINUTE_MS)
        return `the request log was not counted since ${new Date(closedUntil).toISOString()}`;
      const isSilent = (at: number): boolean => closedUntil - Math.max(at, start) > stale + MINUTE_MS;
      const silent = compared.find((arm) => isSilent(settledAt[arm]));
      if (silent === undefined) return undefined;
      const found = isSilent(lateAt[silent])
        ? `no requests of the ${silent}`
        : `the ${silent} was late for every request`;
      return `${found} for more than ${rule.staleMinutes} minutes`;
    },
  };
}

/** What the arms answered in a minute; an arm without data has nothing. */
export function countsIn({ candidate, control, champion }: CanaryMinute): CanaryCounts {
  return { candidate: candidate ?? NOTHING, control: control ?? NOTHING, champion: champion ?? NOTHING };
}

/** The minutes that began at or after the start and have ended, in their order, each once. */
export function closedMinutes(given: readonly unknown[], start: number, until: number) {
  const byTime = new Map<number, CanaryMinute>();
  let unusable = 0;
  for (const each of given) {
    const { success, data } = CanaryMinute.safeParse(each);
    if (!success) {
      unusable += 1;
      continue;
    }
    const at = Math.floor(Date.parse(data.minute) / MINUTE_MS) * MINUTE_MS;
    if (at < start || at + MINUTE_MS > until || byTime.has(at)) continue;
    byTime.set(at, data);
  }
  const minutes = [...byTime].map(([at, minute]) => ({ at, minute })).toSorted((a, b) => a.at - b.at);
  return { minutes, unusable };
}

function summed(a: CanaryCounts, b: CanaryCounts): CanaryCounts {
  return {
    candidate: plus(a.candidate, b.candidate),
    control: plus(a.control, b.control),
    champion: plus(a.champion, b.champion),
  };
}

function widened(before: CanaryJudgement['realisedShare'], share: number): CanaryJudgement['realisedShare'] {
  if (before === null) return { least: share, greatest: share };
  return { least: Math.min(before.least, share), greatest: Math.max(before.greatest, share) };
}

/** Evidence as numbers that JSON can write, beside the limit. */
export function shown({ errors, latency, regression, notBad }: LogEValues): CanaryJudgement['eValues'] {
  return {
    errors: eValueOf(errors),
    latency: latency === undefined ? null : eValueOf(latency),
    regression: eValueOf(regression),
    notBad: eValueOf(notBad),
    limit: REJECTS_AT,
  };
}

function foundIn({ candidate, control, champion }: CanaryCounts): string {
  const others = plus(control, champion);
  const late = candidate.late + control.late === 0 ? '' : `; late ${candidate.late}, the control arm ${control.late}`;
  return `${candidate.errors} errors in ${candidate.requests} requests, the champion ${others.errors} in ${others.requests}; slow ${candidate.slow}, the control arm ${control.slow} in ${control.requests}${late}`;
}
