import { type CastVote, isExpired } from '#domain/approval/vote.ts';
import type { ApprovalRule } from '#domain/policy/approval-rule.ts';
import { shortTime } from '../report.ts';

/** Whose votes are still missing, as people read it. */
export function missingText(missing: readonly ApprovalRule[]): string {
  if (missing.length === 0) return 'nobody is missing';
  return `still missing: ${missing.map(({ role, count }) => `${count} of ${role}`).join(', ')}`;
}

/** A vote as people read it: whose it is, in which role, and until when it counts. */
export function voteText(vote: Pick<CastVote, 'subject' | 'role' | 'expiresAt'>, now: Date): string {
  const { subject, role, expiresAt } = vote;
  return `${subject} (${role}, ${isExpired(vote, now) ? 'expired' : 'until'} ${shortTime(expiresAt)})`;
}
