import { z } from 'zod';
import type { AuditEvent } from '../audit/events.ts';
import { Digest } from '../canonical/digest.ts';
import type { Refusal } from '../error.ts';
import { ModelName } from '../model/definition.ts';
import { Role, TargetEnvironment } from '../policy/policy.ts';

/** That a signed-in person wants a deployed policy to come into force. */
export const PolicyWish = z.strictObject({
  model: ModelName,
  environment: TargetEnvironment,
  policy: Digest,
  role: Role.optional(),
  comment: z.string().max(500).default(''),
});
export type PolicyWish = z.infer<typeof PolicyWish>;

/** In which role a person wishes, or why not. Which roles are asked is for the target to say, by the policy in force there. */
export function wishAs(
  { role }: Pick<PolicyWish, 'role'>,
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
        ? { rule: 'approval-role', found, remedy: `let a person ask who is ${role ?? Role.options.join(', ')}` }
        : { rule: 'approval-role-named', found, remedy: 'say in which role: --role ROLE' },
  };
}

/** The event by which the target learns of it. */
export function policyEvent(wish: PolicyWish, subject: string, role: Role): AuditEvent {
  const { environment, policy, comment } = wish;
  return {
    code: 'POLICY_DECIDED',
    actor: subject,
    release: null,
    details: { environment, policy, subject, role, comment },
  };
}
