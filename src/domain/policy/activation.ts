import { z } from 'zod';
import { CastVote, countUnexpired, whyNotVoting } from '../approval/vote.ts';
import type { Refusal } from '../refusal/refusal.ts';
import { Digest } from '../canonical/digest.ts';
import { ABSENT, equals, type Item, type Write } from '../ledger/item.ts';
import { keys } from '../ledger/keys.ts';
import { ModelName } from '../model/definition.ts';
import { Policy } from './policy.ts';

/** The policy that is in force in an environment: the `activation`-th that ever was. */
export const ActivePolicy = z.strictObject({
  formatVersion: z.literal(1),
  policy: Digest,
  activation: z.int().min(1),
  rules: Policy,
});
export type ActivePolicy = z.infer<typeof ActivePolicy>;

/** A person's verified vote to activate a policy in place of the one in force. It counts for that replacement only, until it expires. */
export const PolicyApproval = CastVote.extend({
  formatVersion: z.literal(1),
  model: ModelName,
  policy: Digest,
  /** Which activation it ends. */
  replaced: z.int().min(1),
});
export type PolicyApproval = z.infer<typeof PolicyApproval>;

/** When a vote that was cast at a time expires: people have as long as for a promotion into the same environment. */
export function voteExpiry({ rules }: ActivePolicy, environment: string, castAt: string): string {
  const { approvalHours } = rules.transitions[environment === 'prod' ? 'prod' : 'staging'];
  return new Date(Date.parse(castAt) + approvalHours * 3_600_000).toISOString();
}

/** Why a person's vote does not count, or undefined. */
export function whyNotActivating(
  vote: {
    readonly policy: Digest;
    readonly replaces: Digest;
    readonly activation: number;
    readonly role: string;
    readonly expiresAt: string;
  },
  active: ActivePolicy,
  deployed: Digest,
  now: Date,
): Omit<Refusal, 'remedy'> | undefined {
  if (vote.policy !== deployed)
    return { rule: 'policy-deployed', found: `the vote is for ${vote.policy}, and ${deployed} is deployed` };
  if (vote.replaces !== active.policy || vote.activation !== active.activation)
    return {
      rule: 'policy-in-force',
      found: `the vote replaces ${vote.replaces} (activation ${vote.activation}); ${active.policy} (activation ${active.activation}) is in force`,
    };
  return whyNotVoting(vote, active.rules.activation, now);
}

/** The votes that count now for a policy in place of the one in force, and who is still missing. */
export function countVotes(active: ActivePolicy, policy: Digest, votes: readonly PolicyApproval[], now: Date) {
  return countUnexpired(
    active.rules.activation,
    votes.filter((vote) => vote.policy === policy && vote.replaced === active.activation),
    now,
  );
}

/** The item of a person's vote. */
export function policyApprovalItem(vote: PolicyApproval): Item {
  return { ...keys.policyApproval(vote.model, vote.replaced, vote.policy, vote.subject), ...vote };
}

/** The check that the policy in force is still the one that was read. */
export function stillInForce(model: string, active: ActivePolicy): Write {
  const { policy, activation } = active;
  return { kind: 'check', key: keys.policy(model), condition: equals({ policy, activation }) };
}

/** The write by which a policy takes the place of the one in force, or is the first. */
export function activationWrite(active: ActivePolicy | undefined, digest: Digest, rules: Policy): Write {
  const next: ActivePolicy = {
    formatVersion: 1,
    policy: digest,
    activation: (active?.activation ?? 0) + 1,
    rules,
  };
  const condition = active === undefined ? ABSENT : equals({ policy: active.policy, activation: active.activation });
  return { kind: 'put', item: { ...keys.policy(rules.model), ...next }, condition };
}
