import { z } from 'zod';
import type { AuditEvent } from '../audit/events.ts';
import { Digest } from '../canonical/digest.ts';
import { ModelName } from '../model/definition.ts';
import { TargetEnvironment } from '../policy/policy.ts';
import { Role } from '../policy/role.ts';
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
