import { Role } from '../policy/role.ts';
import { type Refusal, refusal } from '../refusal/refusal.ts';

/** The role in which a person votes, or why not. Which roles count is for the target to say, by the policy in force there. */
export function voteAs(
  role: Role | undefined,
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
