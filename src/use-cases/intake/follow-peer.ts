import { Approval, judgeApprovals, whyNotCounting } from '#domain/approval/approval.ts';
import { type AuditRecord, detailsOf } from '#domain/audit/chain.ts';
import type { AuditEvent } from '#domain/audit/events.ts';
import type { Digest } from '#domain/canonical/digest.ts';
import { GatehouseError } from '#domain/error.ts';
import { Upstream } from '#domain/gates/gates/released-upstream.ts';
import { ABSENT, equals, unkey, type Write } from '#domain/ledger/item.ts';
import { keys } from '#domain/ledger/keys.ts';
import { type DeployedModels, deployedModel } from '#domain/model/deployed.ts';
import { type Promotion, promotionName, PromotionRequest } from '#domain/promotion/promotion.ts';
import type { StateMachines } from '#ports/state-machines.ts';
import { operationName, type Recording, recordChange } from '#use-cases/audit/record-change.ts';
import { returnApprovalToken } from '#use-cases/promotion/approval-token.ts';
import { findPromotion, readApprovals } from '#use-cases/promotion/ledger-state.ts';
import { type PeerReading, readPeer, type RecordHandler } from './read-peer.ts';

export interface Following extends PeerReading {
  readonly deployed: DeployedModels;
  readonly machines: StateMachines;
}

/** The environment that a release comes from, for each that promotes. */
const SOURCE: Readonly<Record<string, string>> = { staging: 'dev', prod: 'staging' };

/** What staging and prod do about the records of their peers: open promotions, and take in people's decisions. */
export function followPeer(deps: Following): RecordHandler {
  return async (record, hash) => {
    switch (record.code) {
      case 'BASELINE_REGISTERED':
      case 'RELEASE_OFFERED':
      case 'RELEASE_PROMOTED':
        if (record.environment === SOURCE[deps.environment]) await releasedByPeer(deps, record, hash);
        return;
      case 'RELEASE_ROLLED_BACK':
        if (record.environment === SOURCE[deps.environment]) await withdrawnByPeer(deps, record, hash);
        return;
      case 'PROMOTION_REQUESTED': {
        const details = detailsOf(record, record.code);
        if (details.environment === deps.environment) await askedByPerson(deps, record, details.requestedBy);
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

async function releasedByPeer(deps: Following, record: AuditRecord, hash: Digest): Promise<void> {
  const upstream = upstreamOf(record, hash);
  if (upstream === undefined) return;
  const key = keys.upstream(record.model, upstream.release);
  // A condition that fails means that an earlier record said so of the same digest: that one stands.
  await recordChange(deps, {
    model: record.model,
    operation: operationName('upstream', hash),
    writes: [{ kind: 'put', item: { ...key, ...upstream }, condition: ABSENT }],
    event: upstreamEvent('UPSTREAM_RELEASED', record, hash, upstream),
  });
  const { transitions } = deployedModel(deps.deployed, record.model).policy;
  const own = deps.environment === 'prod' ? 'prod' : 'staging';
  const transition = upstream.kind === 'baseline' ? 'initial' : own;
  if (transition === 'initial' || transitions[own].opensOnOffer) {
    await startPromotion(deps, upstream, record, transition, `pipeline:${record.environment}`);
  }
}

/** What the environment before has taken back is not let in here any more; what was let in stays, and is for people to judge. */
async function withdrawnByPeer(deps: Following, record: AuditRecord, hash: Digest): Promise<void> {
  const { from } = detailsOf(record, 'RELEASE_ROLLED_BACK');
  const upstream = await findUpstream(deps, record.model, from);
  if (upstream === undefined || upstream.withdrawn !== null) return;
  const item = { ...keys.upstream(record.model, upstream.release), ...upstream, withdrawn: hash };
  await recordChange(deps, {
    model: record.model,
    operation: operationName('withdrawn', hash),
    writes: [{ kind: 'put', item, condition: equals({ record: upstream.record }) }],
    event: upstreamEvent('UPSTREAM_WITHDRAWN', record, hash, upstream),
  });
}

function upstreamEvent(
  code: 'UPSTREAM_RELEASED' | 'UPSTREAM_WITHDRAWN',
  { environment: peer, seq }: AuditRecord,
  record: Digest,
  { release, version }: Upstream,
): AuditEvent {
  return { code, actor: 'pipeline:intake', release, details: { peer, seq, record, version } };
}

async function findUpstream(deps: Following, model: string, release: string): Promise<Upstream | undefined> {
  const item = await deps.ledger.get(keys.upstream(model, release));
  return item === undefined ? undefined : unkey(Upstream, item);
}

function upstreamOf(record: AuditRecord, hash: Digest): Upstream | undefined {
  if (record.release === null) return undefined;
  const base = {
    environment: record.environment,
    release: record.release,
    seq: record.seq,
    record: hash,
    withdrawn: null,
  };
  switch (record.code) {
    case 'BASELINE_REGISTERED': {
      const { version, asOf } = detailsOf(record, record.code);
      return Upstream.parse({ ...base, code: record.code, kind: 'baseline', version, asOf });
    }
    case 'RELEASE_OFFERED': {
      const { version, asOf } = detailsOf(record, record.code);
      return Upstream.parse({ ...base, code: record.code, kind: 'trained', version, asOf });
    }
    case 'RELEASE_PROMOTED': {
      const { version, asOf, kind } = detailsOf(record, record.code);
      return Upstream.parse({ ...base, code: record.code, kind, version, asOf });
    }
    default:
      return undefined;
  }
}

async function askedByPerson(deps: Following, record: AuditRecord, requestedBy: string): Promise<void> {
  if (record.release === null) return;
  const source = SOURCE[deps.environment];
  let upstream = await findUpstream(deps, record.model, record.release);
  if (upstream === undefined && source !== undefined) {
    // The person may have been quicker than the announcement of what they ask for.
    await readPeer(deps, source, record.model, followPeer(deps));
    upstream = await findUpstream(deps, record.model, record.release);
  }
  if (upstream !== undefined) {
    const transition = deps.environment === 'prod' ? 'prod' : 'staging';
    await startPromotion(deps, upstream, record, transition, requestedBy);
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
        reasons: [`${source ?? 'the environment before'} has not released ${record.release}`],
      },
    },
  });
}

async function startPromotion(
  deps: Following,
  upstream: Upstream,
  record: AuditRecord,
  transition: PromotionRequest['transition'],
  requestedBy: string,
): Promise<void> {
  const request = PromotionRequest.parse({
    model: record.model,
    release: upstream.release,
    version: upstream.version,
    kind: upstream.kind,
    transition,
    requestedBy,
    source: upstream.environment,
    requestedIn: record.environment,
    requestSeq: record.seq,
    asOf: upstream.asOf,
  });
  await deps.machines.start('promotion', promotionName(request), { request });
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
      ? { rule: 'promotion-known', found: `no promotion ${name}` }
      : whyNotCounting(approval, promotion, deps.clock.now());
  if (promotion === undefined || why !== undefined) {
    await refuseDecision(deps, approval, why ?? { rule: 'promotion-known', found: name });
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
    await refuseDecision(deps, approval, { rule: 'approval-once', found: `${approval.subject} has decided already` });
    return;
  }
  await answerIfDecided(deps, promotion);
}

/** Lets the waiting promotion go on when people have decided; the reconciler does it again if this answer gets lost. */
export async function answerIfDecided(
  deps: Pick<Following, 'ledger' | 'machines' | 'clock'>,
  promotion: Promotion,
): Promise<'returned' | 'gone' | 'pending'> {
  const outcome = judgeApprovals(promotion, await readApprovals(deps.ledger, promotion), deps.clock.now());
  return outcome.kind === 'pending' ? 'pending' : returnApprovalToken(deps, promotion, outcome.kind);
}

async function refuseDecision(
  deps: Recording,
  approval: Approval,
  why: { readonly rule: string; readonly found: string },
): Promise<void> {
  const result = await recordChange(deps, {
    model: approval.model,
    operation: operationName('refuse', approval.statement),
    writes: [],
    event: {
      code: 'DECISION_REFUSED',
      actor: 'pipeline:intake',
      release: approval.release,
      details: { promotion: approval.promotion, subject: approval.subject, ...why, statement: approval.statement },
    },
  });
  if (result.kind === 'refused')
    throw new GatehouseError('DECISION_NOT_RECORDED', 'a refused decision could not be recorded', why);
}
