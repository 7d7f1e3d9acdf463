import { z } from 'zod';
import { Digest } from '../canonical/digest.ts';
import { ABSENT, equals, type Item, type Key, type Write } from '../ledger/item.ts';
import type { ApprovalRule } from '../policy/approval-rule.ts';
import { Role } from '../policy/role.ts';
import type { Refusal } from '../refusal/refusal.ts';
import { countByRole } from './count-by-role.ts';

/** What a person's verified vote says, whatever it is for: whose it is, in which role, and until when it counts. */
export const CastVote = z.strictObject({
  subject: z.string().min(1),
  role: Role,
  /** The hash of the signed record in control's chain that says so. */
  statement: Digest,
  expiresAt: z.iso.datetime(),
});
export type CastVote = z.infer<typeof CastVote>;

/** Whether a vote has expired. */
export function isExpired({ expiresAt }: Pick<CastVote, 'expiresAt'>, now: Date): boolean {
  return !(Date.parse(expiresAt) > now.getTime());
}

/** Why a person's vote does not count by the roles that vote, or undefined. */
export function whyNotVoting(
  vote: { readonly role: string; readonly expiresAt: string },
  required: readonly ApprovalRule[],
  now: Date,
): Omit<Refusal, 'remedy'> | undefined {
  const needed = required.map(({ role }) => role);
  if (!needed.some((role) => role === vote.role))
    return { rule: 'approval-role', found: `role ${vote.role} does not vote, but ${needed.join(', ')}` };
  if (isExpired(vote, now)) return { rule: 'approval-expired', found: `the vote expired at ${vote.expiresAt}` };
  return undefined;
}

/** The votes that count now, each person once, and who is still missing. */
export function countUnexpired<Vote extends CastVote>(
  required: readonly ApprovalRule[],
  votes: readonly Vote[],
  now: Date,
) {
  return countByRole(
    required,
    votes.filter((vote) => !isExpired(vote, now)),
  );
}

/** The write that keeps a person's vote: there is one under its key, unless an earlier one has expired. */
export function voteWrite(vote: Item, earlier: CastVote | undefined, now: Date): Write {
  const condition =
    earlier !== undefined && isExpired(earlier, now) ? equals({ statement: earlier.statement }) : ABSENT;
  return { kind: 'put', item: vote, condition };
}

/** The check that a vote is still the one that was counted. */
export function voteCheck({ pk, sk }: Key, { statement }: CastVote): Write {
  return { kind: 'check', key: { pk, sk }, condition: equals({ statement }) };
}
