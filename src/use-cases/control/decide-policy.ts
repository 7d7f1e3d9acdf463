import { personOf } from '#domain/control/person.ts';
import { policyEvent, type PolicyVote, voteAs } from '#domain/control/policy-vote.ts';
import { whyUnknownModel } from '#domain/control/promotion-request-body.ts';
import { type Refusal, refusal } from '#domain/refusal/refusal.ts';
import type { Role } from '#domain/policy/policy.ts';
import { operationName, recordChange } from '#use-cases/audit/record-change.ts';
import type { Asking } from './request-promotion.ts';

export type PolicyDecideResult =
  | { readonly kind: 'decided'; readonly role: Role; readonly seq: number; readonly statement: string }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

/** Records a person's vote for a policy in control's chain; the target pulls it, and counts. */
export async function decidePolicy(deps: Asking, username: string, vote: PolicyVote): Promise<PolicyDecideResult> {
  const subject = personOf(username);
  const unknown = whyUnknownModel(vote.model, deps.models);
  if (unknown !== undefined) return { kind: 'refused', refusal: unknown };
  const as = voteAs(vote, subject, await deps.directory.groupsOf(username));
  if (as.kind === 'refuse') return { kind: 'refused', refusal: as.refusal };
  const { model, environment, policy, replaces, activation } = vote;
  // A vote that has expired may be cast again: hence the minute in its name.
  const minute = deps.clock.now().toISOString().slice(0, 16);
  const result = await recordChange(deps, {
    model,
    operation: operationName('decide-policy', environment, policy, replaces, activation, subject, as.role, minute),
    writes: [],
    event: policyEvent(vote, subject, as.role),
  });
  if (result.kind === 'refused')
    return {
      kind: 'refused',
      refusal: refusal('request-recorded', 'nothing was recorded'),
    };
  return { kind: 'decided', role: as.role, seq: result.seq, statement: result.hash };
}
