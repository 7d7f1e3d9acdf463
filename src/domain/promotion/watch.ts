import type { Digest } from '../canonical/digest.ts';
import { daysBetween } from '../data/partition.ts';
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
  /** The first day that counts: what the release was made and let in by had arrived before it. */
  readonly from: string;
  /** Whole days since then. */
  readonly days: number;
  readonly isProvisional: boolean;
  /** How it is judged; none where the policy in force knows no probation any more. */
  readonly rule: ProbationRule | undefined;
}

/**
 * What an environment watches as of a day, if anything: a release on probation until it is judged, and one that was proven
 * for as many days. Days are counted on the clock of the data, from the logical time that the release was let in by.
 */
export function watchOf(
  pointer: Pointer | undefined,
  promotion: Promotion | undefined,
  policy: Policy,
  asOf: string,
): Watch | { readonly kind: 'none'; readonly reason: string } {
  const none = (reason: string) => ({ kind: 'none', reason }) as const;
  if (pointer === undefined) return none('nothing is in production here');
  const { current: release, version, lastConfirmed, epoch, status } = pointer;
  if (promotion === undefined) return none(`${version} was confirmed by a person or came back by a rollback`);
  if (lastConfirmed === null) return none(`${version} is the first release here: there is nothing to go back to`);
  if (asOf < promotion.asOf) return none(`${version} was let in as of ${promotion.asOf}, which is later`);
  const rule = policy.transitions[promotion.transition]?.probation;
  const days = daysBetween(promotion.asOf, asOf).length - 1;
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
