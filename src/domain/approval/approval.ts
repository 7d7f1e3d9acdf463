import { z } from 'zod';
import type { Refusal } from '../refusal/refusal.ts';
import { Digest } from '../canonical/digest.ts';
import { ModelName } from '../model/definition.ts';
import type { ApprovalRule } from '../policy/approval-rule.ts';
import { Transition } from '../policy/policy.ts';
import { Role } from '../policy/role.ts';
import { countByRole } from './count-by-role.ts';
import type { Promotion } from '../promotion/promotion.ts';

/** A person's verified decision on one promotion, as the target's ledger holds it. Single use. */
export const Approval = z.strictObject({
  formatVersion: z.literal(1),
  model: ModelName,
  promotion: z.string().min(1),
  subject: z.string().min(1),
  role: Role,
  decision: z.enum(['approve', 'reject']),
  release: Digest,
  environment: z.string().min(1),
  transition: Transition,
  policy: Digest,
  /** The evidence that the person had before them. */
  evidence: Digest,
  comment: z.string(),
  /** The hash of the signed record in control's chain that says so. */
  statement: Digest,
  expiresAt: z.iso.datetime(),
  status: z.enum(['unused', 'used']),
});
export type Approval = z.infer<typeof Approval>;

/** Why an approval does not count for a promotion now, or undefined when it does. */
export function whyNotCounting(
  approval: Approval,
  promotion: Promotion,
  now: Date,
): Omit<Refusal, 'remedy'> | undefined {
  const request = promotion.approvalRequest;
  if (request === null) return { rule: 'approval-requested', found: 'no approval was requested' };
  if (approval.promotion !== promotion.promotion)
    return { rule: 'approval-bound', found: `decides on ${approval.promotion}` };
  if (approval.release !== promotion.release)
    return { rule: 'approval-bound', found: `decides on release ${approval.release}` };
  if (approval.model !== promotion.model)
    return { rule: 'approval-bound', found: `decides on model ${approval.model}` };
  if (approval.environment !== promotion.environment)
    return { rule: 'approval-bound', found: `decides for ${approval.environment}` };
  if (approval.transition !== promotion.transition)
    return { rule: 'approval-bound', found: `decides on transition ${approval.transition}` };
  if (approval.policy !== promotion.policy)
    return { rule: 'approval-bound', found: `decided under policy ${approval.policy}` };
  if (approval.evidence !== request.evidence)
    return { rule: 'approval-bound', found: `decided on evidence ${approval.evidence}` };
  if (approval.subject === promotion.requestedBy)
    return { rule: 'approval-not-by-requester', found: `${approval.subject} requested it` };
  if (!promotion.approvals.some((rule) => rule.role === approval.role)) {
    return { rule: 'approval-role', found: `role ${approval.role} is not required` };
  }
  if (!(Date.parse(approval.expiresAt) > now.getTime()) || !(Date.parse(request.expiresAt) > now.getTime())) {
    return {
      rule: 'approval-expired',
      found: `expired at ${approval.expiresAt < request.expiresAt ? approval.expiresAt : request.expiresAt}`,
    };
  }
  if (approval.status !== 'unused') return { rule: 'approval-single-use', found: 'it was used before' };
  return undefined;
}

/** What people have said of a promotion, taken together. */
export type ApprovalOutcome =
  | { readonly kind: 'approved'; readonly approvals: readonly Approval[] }
  | { readonly kind: 'rejected'; readonly by: Approval }
  | { readonly kind: 'pending'; readonly missing: readonly ApprovalRule[] };

/** N of M by role: each person counts once, in the role in which they decided; one rejection of an asked role ends it. */
export function judgeApprovals(promotion: Promotion, approvals: readonly Approval[], now: Date): ApprovalOutcome {
  const counting = approvals.filter((approval) => whyNotCounting(approval, promotion, now) === undefined);
  const rejection = counting.find((approval) => approval.decision === 'reject');
  if (rejection !== undefined) return { kind: 'rejected', by: rejection };
  const { used, missing } = countByRole(promotion.approvals, counting);
  return missing.length === 0 ? { kind: 'approved', approvals: used } : { kind: 'pending', missing };
}
