import { z } from 'zod';
import type { Refusal } from '../refusal/refusal.ts';
import { countByRole } from '../approval/count-by-role.ts';
import { Digest } from '../canonical/digest.ts';
import { ABSENT, equals, type Write } from '../ledger/item.ts';
import { keys } from '../ledger/keys.ts';
import { ModelName } from '../model/definition.ts';
import { Policy, Role } from './policy.ts';

/** The policy that is in force in an environment: the `activation`-th that ever was. */
export const ActivePolicy = z.strictObject({
  formatVersion: z.literal(1),
  policy: Digest,
  activation: z.int().min(1),
  rules: Policy,
});
export type ActivePolicy = z.infer<typeof ActivePolicy>;

/** A person's verified vote to activate a policy in place of the one in force. It counts for that replacement only, until it expires. */
export const PolicyApproval = z.strictObject({
  formatVersion: z.literal(1),
  model: ModelName,
  policy: Digest,
  /** Which activation it ends. */
  replaced: z.int().min(1),
  subject: z.string().min(1),
  role: Role,
  /** The hash of the signed record in control's chain that says so. */
  statement: Digest,
  expiresAt: z.iso.datetime(),
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
  const needed = active.rules.activation.map(({ role }) => role);
  if (!needed.some((role) => role === vote.role))
    return { rule: 'approval-role', found: `role ${vote.role} does not vote, but ${needed.join(', ')}` };
  if (!(Date.parse(vote.expiresAt) > now.getTime()))
    return { rule: 'approval-expired', found: `the vote expired at ${vote.expiresAt}` };
  return undefined;
}

/** The votes that count now for a policy in place of the one in force, and who is still missing. */
export function countVotes(active: ActivePolicy, policy: Digest, votes: readonly PolicyApproval[], now: Date) {
  return countByRole(
    active.rules.activation,
    votes.filter(
      (vote) =>
        vote.policy === policy && vote.replaced === active.activation && Date.parse(vote.expiresAt) > now.getTime(),
    ),
  );
}

/** The write that keeps a person's vote: there is one of each, unless an earlier one has expired. */
export function policyApprovalWrite(approval: PolicyApproval, earlier: PolicyApproval | undefined, now: Date): Write {
  const { model, replaced, policy, subject } = approval;
  const hasExpired = earlier !== undefined && !(Date.parse(earlier.expiresAt) > now.getTime());
  return {
    kind: 'put',
    item: { ...keys.policyApproval(model, replaced, policy, subject), ...approval },
    condition: hasExpired ? equals({ statement: earlier.statement }) : ABSENT,
  };
}

/** The check that a vote is still the one that was counted. */
export function voteCheck({ model, replaced, policy, subject, statement }: PolicyApproval): Write {
  return {
    kind: 'check',
    key: keys.policyApproval(model, replaced, policy, subject),
    condition: equals({ statement }),
  };
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
