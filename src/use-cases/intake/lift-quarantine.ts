import { type AuditRecord, detailsOf } from '#domain/audit/chain.ts';
import type { Digest } from '#domain/canonical/digest.ts';
import { GatehouseError } from '#domain/error.ts';
import { type ActivePolicy, stillInForce, voteExpiry } from '#domain/policy/activation.ts';
import {
  countLiftVotes,
  liftWrite,
  type Quarantine,
  QuarantineApproval,
  quarantineApprovalItem,
  stillQuarantined,
  whyNotLifting,
} from '#domain/promotion/quarantine.ts';
import { readActivePolicy } from '#read-model/policy.ts';
import { findQuarantine, readQuarantineVotes } from '#read-model/quarantines.ts';
import { operationName, type Recording } from '#use-cases/audit/record-change.ts';
import { changeByVotes, keepVote, refuseDecision } from './count-votes.ts';

/**
 * Takes in a person's vote to lift a quarantine, signed by control. It is lifted when those have voted whom the policy in force
 * names for another policy: who may change the rules may set aside what a rule did.
 */
export async function liftQuarantine(deps: Recording, record: AuditRecord, statement: Digest): Promise<void> {
  const { model, release } = record;
  if (release === null) return;
  const { rollback, subject, role, reason } = detailsOf(record, 'QUARANTINE_VOTED');
  const [active, quarantine] = await Promise.all([
    readActivePolicy(deps.ledger, model),
    findQuarantine(deps.ledger, model, release),
  ]);
  // A vote that is late, or read again, is for what was lifted already.
  if (quarantine?.status === 'lifted' && quarantine.rollback === rollback) return;
  const vote = { subject, statement, model, release };
  const about = `quarantine of ${release}`;
  if (active === undefined) {
    await refuseDecision(deps, vote, about, { rule: 'policy-in-force', found: 'there is none yet' });
    return;
  }
  const expiresAt = voteExpiry(active, deps.environment, record.at);
  const why = whyNotLifting({ release, rollback, role, expiresAt }, quarantine, active, deps.clock.now());
  if (quarantine === undefined || why !== undefined) {
    await refuseDecision(
      deps,
      vote,
      about,
      why ?? { rule: 'quarantine-known', found: `${release} is not quarantined` },
    );
    return;
  }
  const approval = QuarantineApproval.parse({ formatVersion: 1, ...vote, rollback, role, reason, expiresAt });
  const isKept = await keepVote(deps, 'approve-lift', approval, {
    votes: await readQuarantineVotes(deps.ledger, model, quarantine),
    itemOf: quarantineApprovalItem,
    check: stillQuarantined(model, quarantine),
    event: {
      code: 'QUARANTINE_VOTE_VERIFIED',
      actor: subject,
      release,
      details: { rollback, version: quarantine.version, subject, role, reason, statement },
    },
  });
  if (!isKept) {
    await refuseDecision(deps, vote, about, {
      rule: 'approval-once',
      found: `${subject} has voted to lift it already, or it is not the quarantine that was read`,
    });
    return;
  }
  await liftIfAll(deps, model, active, quarantine);
}

async function liftIfAll(deps: Recording, model: string, active: ActivePolicy, quarantine: Quarantine): Promise<void> {
  const { release, rollback, version } = quarantine;
  const now = deps.clock.now();
  const votes = await readQuarantineVotes(deps.ledger, model, quarantine);
  const counted = countLiftVotes(active, quarantine, votes, now);
  const result = await changeByVotes(deps, counted, quarantineApprovalItem, (approvedBy) => ({
    model,
    operation: operationName('lift', release, rollback),
    writes: [liftWrite(model, quarantine, approvedBy, now), stillInForce(model, active)],
    event: {
      code: 'QUARANTINE_LIFTED',
      actor: 'pipeline:intake',
      release,
      details: { rollback, version, approvedBy: [...approvedBy] },
    },
  }));
  // Nobody votes twice: the votes that stand are counted again, by the policy that is in force then.
  if (result?.kind === 'refused')
    throw new GatehouseError('CHAIN_CONTENDED', `the quarantine of ${version} did not come to rest; try again`, {
      failed: result.failed,
    });
}
