import { countByRole } from '#domain/approval/approval.ts';
import { type AuditRecord, detailsOf } from '#domain/audit/chain.ts';
import type { Digest } from '#domain/canonical/digest.ts';
import { GatehouseError } from '#domain/error.ts';
import { unkey } from '#domain/ledger/item.ts';
import { keys } from '#domain/ledger/keys.ts';
import { type DeployedModels, deployedModel, policyDigest } from '#domain/model/deployed.ts';
import {
  activationWrite,
  type ActivePolicy,
  PolicyApproval,
  policyApprovalWrite,
  stillInForce,
  whyNotActivating,
} from '#domain/policy/activation.ts';
import { operationName, type Recording, recordChange } from '#use-cases/audit/record-change.ts';
import type { StateMachines } from '#ports/state-machines.ts';
import { answerWaiting } from '#use-cases/promotion/answer-if-decided.ts';
import { readActivePolicy } from '#use-cases/promotion/ledger-state.ts';

interface Activating extends Recording {
  readonly deployed: DeployedModels;
  readonly machines: StateMachines;
}

/**
 * Takes in a person's wish, signed by control, that the policy that is deployed come into force. It does so when those
 * have asked for it whom the policy in force names: a looser one cannot let itself in.
 */
export async function activatePolicy(deps: Activating, record: AuditRecord, statement: Digest): Promise<void> {
  const { model } = record;
  const { policy, subject, role } = detailsOf(record, 'POLICY_DECIDED');
  const rules = deployedModel(deps.deployed, model).policy;
  const active = await readActivePolicy(deps.ledger, model);
  const wish = { subject, statement, model };
  if (active === undefined) {
    await refuseDecision(deps, wish, `policy ${policy}`, {
      rule: 'policy-in-force',
      found: 'there is none yet; the first comes into force with the baseline',
    });
    return;
  }
  // Whoever is late, or whose wish is read again, wants what is so already.
  if (active.policy === policy) return;
  const why = whyNotActivating({ policy, role }, active, policyDigest(rules));
  if (why !== undefined) {
    await refuseDecision(deps, wish, `policy ${policy}`, why);
    return;
  }
  const approval = PolicyApproval.parse({
    formatVersion: 1,
    ...wish,
    policy,
    replaced: active.activation,
    role,
  });
  const result = await recordChange(deps, {
    model,
    operation: operationName('approve-policy', statement),
    writes: [policyApprovalWrite(approval), stillInForce(model, active)],
    event: {
      code: 'POLICY_APPROVED',
      actor: subject,
      release: null,
      details: { policy, replaces: active.policy, subject, role, statement },
    },
  });
  if (result.kind === 'refused') {
    await refuseDecision(deps, wish, `policy ${policy}`, {
      rule: 'approval-once',
      found: `${subject} has asked for it already, or another policy came into force`,
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
  const from = keys.policyApproval(model, active.activation, policy, '');
  const items = await deps.ledger.query(from.pk, { from: from.sk, to: `${from.sk}\uFFFF` });
  const approvals = items.map((item) => unkey(PolicyApproval, item));
  if (countByRole(active.rules.activation, approvals).missing.length > 0) return;
  await recordChange(deps, {
    model,
    operation: operationName('policy', policy, active.activation),
    writes: [activationWrite(active, policy, rules)],
    event: {
      code: 'POLICY_ACTIVATED',
      actor: 'pipeline:intake',
      release: null,
      details: { policy, replaces: active.policy, approvedBy: approvals.map(({ subject }) => subject) },
    },
  });
  // A promotion that was opened under the policy before cannot be committed any more.
  await answerWaiting(deps, model);
}

/** Records that a decision that arrived does not count, and why. */
export async function refuseDecision(
  deps: Recording,
  decided: { readonly model: string; readonly subject: string; readonly statement: Digest; readonly release?: Digest },
  about: string,
  why: { readonly rule: string; readonly found: string },
): Promise<void> {
  const { model, subject, statement, release } = decided;
  const result = await recordChange(deps, {
    model,
    operation: operationName('refuse', statement),
    writes: [],
    event: {
      code: 'DECISION_REFUSED',
      actor: 'pipeline:intake',
      release: release ?? null,
      details: { promotion: about, subject, ...why, statement },
    },
  });
  if (result.kind === 'refused')
    throw new GatehouseError('DECISION_NOT_RECORDED', 'a refused decision could not be recorded', why);
}
