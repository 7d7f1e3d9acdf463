import { ORIGIN, sourceOf } from '#domain/environment/environment.ts';
import { Approval, whyNotCounting } from '#domain/approval/approval.ts';
import { type AuditRecord, detailsOf } from '#domain/audit/chain.ts';
import type { Digest } from '#domain/canonical/digest.ts';
import type { Upstream } from '#domain/gates/gates/released-upstream.ts';
import { ABSENT, type Write } from '#domain/ledger/item.ts';
import { keys } from '#domain/ledger/keys.ts';
import type { DeployedModels } from '#domain/model/deployed.ts';
import { promotionName, PromotionRequest, requestWrite, transitionOf } from '#domain/promotion/promotion.ts';
import type { StateMachines } from '#ports/state-machines.ts';
import { activeOrDeployed, readActivePolicy } from '#read-model/policy.ts';
import { findPromotion } from '#read-model/promotions.ts';
import { readUpstream } from '#read-model/upstream.ts';
import { operationName, recordChange } from '#use-cases/audit/record-change.ts';
import { answerIfDecided } from '#use-cases/promotion/answer-if-decided.ts';
import { activatePolicy } from './activate-policy.ts';
import { refuseDecision } from './count-votes.ts';
import { keepAttestation } from './keep-attestation.ts';
import { keepReleased } from './keep-released.ts';
import { keepUpstream, withdrawnByPeer } from './keep-upstream.ts';
import { liftQuarantine } from './lift-quarantine.ts';
import type { PeerReading, ReadAlso, RecordHandler } from './read-peer.ts';
import { retrainOnDrift } from './retrain-on-drift.ts';

export interface Following extends PeerReading {
  readonly deployed: DeployedModels;
  readonly machines: StateMachines;
}

/**
 * What environments do about the records of their peers: staging and prod open promotions and take in people's decisions,
 * dev keeps what prod serves, and retrains.
 */
export function followPeer(deps: Following): RecordHandler {
  return async (record, hash, readAlso) => {
    switch (record.code) {
      case 'RELEASE_REGISTERED':
        // What is registered may be asked for as a hotfix only, which comes to prod.
        if (record.environment === ORIGIN && deps.environment === 'prod') await keepUpstream(deps, record, hash);
        return;
      case 'BASELINE_REGISTERED':
      case 'RELEASE_OFFERED':
      case 'RELEASE_PROMOTED':
        if (deps.environment === ORIGIN) await keepReleased(deps, record, hash);
        else if (record.environment === sourceOf(deps.environment)) await releasedByPeer(deps, record, hash, readAlso);
        else if (record.environment === ORIGIN) await keepUpstream(deps, record, hash);
        return;
      case 'RELEASE_ROLLED_BACK':
        if (deps.environment === ORIGIN) await keepReleased(deps, record, hash);
        else if (record.environment === sourceOf(deps.environment)) await withdrawnByPeer(deps, record, hash);
        return;
      case 'ATTESTED':
        if (deps.environment !== ORIGIN) await keepAttestation(deps, record, hash);
        return;
      case 'DRIFT_CHECKED':
        if (deps.environment === ORIGIN) await retrainOnDrift(deps, record, hash);
        return;
      case 'PROMOTION_REQUESTED': {
        const details = detailsOf(record, record.code);
        if (details.environment === deps.environment) await requestedByPerson(deps, record, hash, readAlso);
        return;
      }
      case 'POLICY_VOTED': {
        const details = detailsOf(record, record.code);
        if (details.environment === deps.environment) await activatePolicy(deps, record, hash);
        return;
      }
      case 'QUARANTINE_VOTED': {
        const details = detailsOf(record, record.code);
        if (details.environment === deps.environment) await liftQuarantine(deps, record, hash);
        return;
      }
      case 'DECISION_MADE': {
        const details = detailsOf(record, record.code);
        if (details.environment === deps.environment) await recordApproval(deps, record, hash);
        return;
      }
      default:
        return;
    }
  };
}

async function releasedByPeer(deps: Following, record: AuditRecord, hash: Digest, readAlso: ReadAlso): Promise<void> {
  const upstream = await keepUpstream(deps, record, hash);
  if (upstream === undefined) return;
  const active = await readActivePolicy(deps.ledger, record.model);
  const { transitions } = activeOrDeployed(active, deps.deployed, record.model).rules;
  const transition = transitionOf(deps.environment, upstream);
  if (transition === 'initial' || transitions[transition]?.opensOnOffer === true) {
    const requestedBy = `pipeline:${record.environment}`;
    await startPromotion(deps, upstream, { record, hash, readAlso }, { requestedBy });
  }
}

/** Starts what a person requested: from the environment before, or, past it, from where the release was registered. */
async function requestedByPerson(
  deps: Following,
  record: AuditRecord,
  hash: Digest,
  readAlso: ReadAlso,
): Promise<void> {
  if (record.release === null) return;
  const { requestedBy, hotfix, canaryRequest } = detailsOf(record, 'PROMOTION_REQUESTED');
  const source = hotfix === undefined ? sourceOf(deps.environment) : ORIGIN;
  if (source === undefined) return;
  const find = async () => (await readUpstream(deps.ledger, record.model, record.release ?? '', [source]))[0];
  let upstream = await find();
  if (upstream === undefined) {
    // The person may have been quicker than the announcement of what they ask for.
    await readAlso(source);
    upstream = await find();
  }
  if (upstream !== undefined) {
    const asked = {
      requestedBy,
      ...(hotfix === undefined ? {} : { hotfix }),
      ...(canaryRequest === undefined ? {} : { canaryRequest }),
    };
    await startPromotion(deps, upstream, { record, hash, readAlso }, asked);
    return;
  }
  await recordChange(deps, {
    model: record.model,
    operation: operationName('end', record.environment, record.seq),
    writes: [],
    event: {
      code: 'PROMOTION_REFUSED',
      actor: 'pipeline:intake',
      release: record.release,
      details: {
        promotion: `request-${record.environment}-${record.seq}`,
        rule: 'released-upstream',
        reasons: [`${source} has not released ${record.release}`],
      },
    },
  });
}

/** Writes what the verified record requests, and starts the machine, which is given no more than the request's name. */
async function startPromotion(
  deps: Following,
  upstream: Upstream,
  { record, hash, readAlso }: { readonly record: AuditRecord; readonly hash: Digest; readonly readAlso: ReadAlso },
  asked: Pick<PromotionRequest, 'requestedBy' | 'hotfix' | 'canaryRequest'>,
): Promise<void> {
  const request = PromotionRequest.parse({
    model: record.model,
    release: upstream.release,
    version: upstream.version,
    kind: upstream.kind,
    ...asked,
    transition: transitionOf(deps.environment, { kind: upstream.kind, ...asked }),
    source: upstream.environment,
    requestedIn: record.environment,
    requestSeq: record.seq,
    record: hash,
    asOf: upstream.asOf,
  });
  // The record of whoever trained it may be on its way still; its gates look for it.
  const isKnown = async () =>
    (await readUpstream(deps.ledger, record.model, upstream.release, [ORIGIN]))[0] !== undefined;
  if (deps.environment === 'prod' && !(await isKnown())) await readAlso(ORIGIN);
  const promotion = promotionName(request);
  const { model, transition, requestedBy, requestedIn: peer, requestSeq: seq } = request;
  // A condition that fails means that the same record was read before: what it requests is written already.
  await recordChange(deps, {
    model,
    operation: operationName('request', hash),
    writes: [requestWrite(request)],
    event: {
      code: 'PROMOTION_REQUEST_VERIFIED',
      actor: 'pipeline:intake',
      release: request.release,
      details: { promotion, transition, requestedBy, peer, seq, record: hash },
    },
  });
  await deps.machines.start('promotion', promotion, { model });
}

/** Takes in a decision that control signed: it counts only if it is bound to exactly what is asked here. */
async function recordApproval(deps: Following, record: AuditRecord, statement: Digest): Promise<void> {
  const details = detailsOf(record, 'DECISION_MADE');
  if (record.release === null) return;
  const { environment, promotion: name, ...decided } = details;
  const approval = Approval.parse({
    formatVersion: 1,
    model: record.model,
    promotion: name,
    ...decided,
    release: record.release,
    environment,
    statement,
    status: 'unused',
  });
  const promotion = await findPromotion(deps.ledger, record.model, name);
  const why =
    promotion === undefined
      ? ({ rule: 'promotion-known', found: `no promotion ${name}` } as const)
      : whyNotCounting(approval, promotion, deps.clock.now());
  if (promotion === undefined || why !== undefined) {
    await refuseDecision(deps, approval, name, why ?? { rule: 'promotion-known', found: name });
    return;
  }
  const write: Write = {
    kind: 'put',
    item: { ...keys.approval(record.model, name, approval.subject), ...approval },
    condition: ABSENT,
  };
  const result = await recordChange(deps, {
    model: record.model,
    operation: operationName('approve', statement),
    writes: [write],
    event: {
      code: 'APPROVAL_RECORDED',
      actor: approval.subject,
      release: approval.release,
      details: {
        promotion: name,
        subject: approval.subject,
        role: approval.role,
        decision: approval.decision,
        statement,
      },
    },
  });
  if (result.kind === 'refused') {
    await refuseDecision(deps, approval, name, {
      rule: 'approval-once',
      found: `${approval.subject} has decided already`,
    });
    return;
  }
  await answerIfDecided(deps, promotion);
}
