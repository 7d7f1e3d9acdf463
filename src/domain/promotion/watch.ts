import type { Digest } from '../canonical/digest.ts';
import { addDays, daysBetween } from '../data/partition.ts';
import type { Policy, ProbationRule } from '../policy/policy.ts';
import type { Pointer } from './pointer.ts';
import type { Promotion } from './promotion.ts';

/** A release that is judged while it is served. */
export interface Watch {
  readonly kind: 'watched';
  readonly release: Digest;
  /** What it replaced and what it goes back to: it goes on scoring, and nobody is shown it. */
  readonly shadow: Digest;
  readonly promotion: string;
  readonly epoch: number;
  /** The first day whose labels count: what the release was made and promoted by had arrived before it. */
  readonly from: string;
  /** Whole days that it has been served, on the clock of the data. */
  readonly days: number;
  readonly isProvisional: boolean;
  /** How it is judged; none where the policy in force knows no probation any more. */
  readonly rule: ProbationRule | undefined;
}

/**
 * The first day of events that came while an epoch lasted: the one after the newest that had been admitted when it began.
 * So a promotion counts on the clock of the data, however long it waited for people, and whatever is delivered late.
 */
export function firstDayServed(
  admitted: readonly { readonly day: string; readonly admittedAt: string }[],
  epochBegan: string,
): string | undefined {
  const before = admitted.filter(({ admittedAt }) => Date.parse(admittedAt) <= Date.parse(epochBegan));
  const newest = before
    .map(({ day }) => day)
    .sort()
    .at(-1);
  return newest === undefined ? undefined : addDays(newest, 1);
}

/**
 * What an environment watches as of a day, if anything: a release on probation until it is judged, and one that was proven
 * for as many days, counted from the first that it was served on. Training's logical time says nothing of them: a release
 * may be promoted weeks after it was trained.
 */
export function watchOf(
  pointer: Pointer | undefined,
  promotion: Promotion | undefined,
  policy: Policy,
  asOf: string,
  /** The first day that it was served on; none where nothing had been admitted when it was promoted. */
  servedFrom: string | undefined,
): Watch | { readonly kind: 'none'; readonly reason: string } {
  const none = (reason: string) => ({ kind: 'none', reason }) as const;
  if (pointer === undefined) return none('nothing is in production here');
  const { current: release, version, lastConfirmed, epoch, status } = pointer;
  if (promotion === undefined) return none(`${version} was confirmed by a person or came back by a rollback`);
  if (lastConfirmed === null) return none(`${version} is the first release here: there is nothing to go back to`);
  if (asOf < promotion.asOf) return none(`${version} was trained as of ${promotion.asOf}, which is later`);
  const rule = policy.transitions[promotion.transition]?.probation;
  const days = Math.max(0, daysBetween(servedFrom ?? promotion.asOf, asOf).length - 1);
  const isProvisional = status === 'probation';
  if (!isProvisional && (rule === undefined || days >= rule.days)) return none(`${version} is confirmed`);
  const { promotion: name, asOf: from } = promotion;
  return {
    kind: 'watched',
    release,
    shadow: lastConfirmed.release,
    promotion: name,
    epoch,
    from,
    days,
    isProvisional,
    rule,
  };
}
