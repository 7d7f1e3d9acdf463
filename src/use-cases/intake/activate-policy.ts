import { type AuditRecord, detailsOf } from '#domain/audit/chain.ts';
import type { Digest } from '#domain/canonical/digest.ts';
import { type DeployedModels, deployedModel, policyDigest } from '#domain/model/deployed.ts';
import {
  activationWrite,
  type ActivePolicy,
  countVotes,
  PolicyApproval,
  policyApprovalItem,
  stillInForce,
  voteExpiry,
  whyNotActivating,
} from '#domain/policy/activation.ts';
import { readActivePolicy, readPolicyVotes } from '#read-model/policy.ts';
import { operationName, type Recording } from '#use-cases/audit/record-change.ts';
import type { StateMachines } from '#ports/state-machines.ts';
import { answerWaiting } from '#use-cases/promotion/answer-if-decided.ts';
import { changeByVotes, keepVote, refuseDecision } from './count-votes.ts';

interface Activating extends Recording {
  readonly deployed: DeployedModels;
  readonly machines: StateMachines;
}

/**
 * Takes in a person's vote for the deployed policy, signed by control. The policy is activated when those have voted whom
 * the policy in force names: a looser one cannot activate itself.
 */
export async function activatePolicy(deps: Activating, record: AuditRecord, statement: Digest): Promise<void> {
  const { model } = record;
  const { policy, replaces, activation, subject, role } = detailsOf(record, 'POLICY_VOTED');
  const rules = deployedModel(deps.deployed, model).policy;
  const active = await readActivePolicy(deps.ledger, model);
  const vote = { subject, statement, model };
  if (active === undefined) {
    await refuseDecision(deps, vote, `policy ${policy}`, {
      rule: 'policy-in-force',
      found: 'there is none yet; the first is activated with the baseline',
    });
    return;
  }
  // A vote that is late, or read again, is for what is in force already.
  if (active.policy === policy) return;
  const expiresAt = voteExpiry(active, deps.environment, record.at);
  const now = deps.clock.now();
  const why = whyNotActivating({ policy, replaces, activation, role, expiresAt }, active, policyDigest(rules), now);
  if (why !== undefined) {
    await refuseDecision(deps, vote, `policy ${policy}`, why);
    return;
  }
  const approval = PolicyApproval.parse({ formatVersion: 1, ...vote, policy, replaced: activation, role, expiresAt });
  const isKept = await keepVote(deps, 'approve-policy', approval, {
    votes: await readPolicyVotes(deps.ledger, model, active, policy),
    itemOf: policyApprovalItem,
    check: stillInForce(model, active),
    event: {
      code: 'POLICY_VOTE_VERIFIED',
      actor: subject,
      release: null,
      details: { policy, replaces: active.policy, subject, role, statement },
    },
  });
  if (!isKept) {
    await refuseDecision(deps, vote, `policy ${policy}`, {
      rule: 'approval-once',
      found: `${subject} has voted for it already, or another policy was activated`,
    });
    return;
  }
  await activateIfAll(deps, active, policy, rules);
}

async function activateIfAll(
  deps: Activating,
  active: ActivePolicy,
  policy: Digest,
  rules: ActivePolicy['rules'],
): Promise<void> {
  const { model } = rules;
  const votes = await readPolicyVotes(deps.ledger, model, active, policy);
  const counted = countVotes(active, policy, votes, deps.clock.now());
  const result = await changeByVotes(deps, counted, policyApprovalItem, (approvedBy) => ({
    model,
    operation: operationName('policy', policy, active.activation),
    writes: [activationWrite(active, policy, rules)],
    event: {
      code: 'POLICY_ACTIVATED',
      actor: 'pipeline:intake',
      release: null,
      details: { policy, replaces: active.policy, approvedBy: [...approvedBy] },
    },
  }));
  // A promotion that was opened under the policy before cannot be committed any more.
  if (result !== undefined) await answerWaiting(deps, model);
}
