import { policyEvent, type PolicyVote } from '#domain/control/policy-vote.ts';
import { recordVote, type VoteResult } from './record-vote.ts';
import type { Asking } from './request-promotion.ts';

/** Records a person's vote for a policy in control's chain. */
export function decidePolicy(deps: Asking, username: string, vote: PolicyVote): Promise<VoteResult> {
  const { environment, policy, replaces, activation } = vote;
  return recordVote(deps, username, vote, {
    verb: 'decide-policy',
    about: [environment, policy, replaces, activation],
    eventOf: (subject, role) => policyEvent(vote, subject, role),
  });
}
