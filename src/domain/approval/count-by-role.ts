import type { ApprovalRule } from '../policy/approval-rule.ts';
import type { Role } from '../policy/role.ts';

/** Matches approvals to required roles, each person once: those that are used, and what is still missing. */
export function countByRole<Vote extends { readonly role: Role; readonly subject: string }>(
  required: readonly ApprovalRule[],
  votes: readonly Vote[],
): { readonly used: readonly Vote[]; readonly missing: readonly ApprovalRule[] } {
  const people = new Set<string>();
  const used: Vote[] = [];
  const missing: ApprovalRule[] = [];
  for (const { role, count } of required) {
    const matching = votes.filter((vote) => vote.role === role && !people.has(vote.subject)).slice(0, count);
    for (const { subject } of matching) people.add(subject);
    used.push(...matching);
    if (matching.length < count) missing.push({ role, count: count - matching.length });
  }
  return { used, missing };
}
