import { z } from 'zod';
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

/** A person's verified wish that a policy replace the one in force. It counts for that replacement only. */
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
});
export type PolicyApproval = z.infer<typeof PolicyApproval>;

/** Why a person's wish counts for nothing, or undefined. */
export function whyNotActivating(
  wish: { readonly policy: Digest; readonly role: string },
  active: ActivePolicy,
  deployed: Digest,
): { readonly rule: string; readonly found: string } | undefined {
  if (wish.policy !== deployed)
    return { rule: 'policy-deployed', found: `${wish.policy} is wanted, and ${deployed} is deployed` };
  const asked = active.rules.activation.map(({ role }) => role);
  if (!asked.some((role) => role === wish.role))
    return { rule: 'approval-role', found: `role ${wish.role} is not asked, but ${asked.join(', ')}` };
  return undefined;
}

/** The write that keeps a person's wish, once. */
export function policyApprovalWrite(approval: PolicyApproval): Write {
  const { model, replaced, policy, subject } = approval;
  return {
    kind: 'put',
    item: { ...keys.policyApproval(model, replaced, policy, subject), ...approval },
    condition: ABSENT,
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
