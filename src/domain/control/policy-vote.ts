import { z } from 'zod';
import type { AuditEvent } from '../audit/events.ts';
import { Digest } from '../canonical/digest.ts';
import { type Refusal, refusal } from '../refusal/refusal.ts';
import { ModelName } from '../model/definition.ts';
import { Role, TargetEnvironment } from '../policy/policy.ts';
import { SeenText } from '../text.ts';

/** The vote of a signed-in person to activate a deployed policy in place of the one that they saw in force. */
export const PolicyVote = z.strictObject({
  model: ModelName,
  environment: TargetEnvironment,
  policy: Digest,
  /** The policy that it replaces, and how many were activated up to that one: the vote counts for no other replacement. */
  replaces: Digest,
  activation: z.int().min(1),
  role: Role.optional(),
  comment: SeenText.max(500).default(''),
});
export type PolicyVote = z.infer<typeof PolicyVote>;

/** The role in which a person votes, or why not. Which roles count is for the target to say, by the policy in force there. */
export function voteAs(
  { role }: Pick<PolicyVote, 'role'>,
  subject: string,
  groups: readonly string[],
): { readonly kind: 'as'; readonly role: Role } | { readonly kind: 'refuse'; readonly refusal: Refusal } {
  const held = Role.options.filter((each) => groups.includes(each) && (role === undefined || each === role));
  const [only, ...others] = held;
  if (only !== undefined && others.length === 0) return { kind: 'as', role: only };
  const found = `${subject} is ${groups.join(' and ') || 'in no role'}`;
  return {
    kind: 'refuse',
    refusal:
      only === undefined
        ? { rule: 'approval-role', found, remedy: `let a person vote who is ${role ?? Role.options.join(', ')}` }
        : refusal('approval-role-named', found),
  };
}

/** The event by which the target learns of it. */
export function policyEvent(vote: PolicyVote, subject: string, role: Role): AuditEvent {
  const { environment, policy, replaces, activation, comment } = vote;
  return {
    code: 'POLICY_VOTED',
    actor: subject,
    release: null,
    details: { environment, policy, replaces, activation, subject, role, comment },
  };
}
