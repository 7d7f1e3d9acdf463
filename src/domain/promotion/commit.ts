import { type Approval, judgeApprovals } from '../approval/approval.ts';
import type { AuditEvent } from '../audit/events.ts';
import type { Refusal } from '../error.ts';
import { bodyOf, type Evidence, evidenceRoot, whyNotAdmitting } from '../gates/evidence.ts';
import type { GateId } from '../gates/gate.ts';
import { ABSENT, equals, type Write } from '../ledger/item.ts';
import { keys } from '../ledger/keys.ts';
import { type Carriers, NO_CARRIERS, paidChecks, whyInDebt } from './debt.ts';
import { advancePointer, confirmedReleases, type Pointer, pointerWrite } from './pointer.ts';
import { freeLock, type Promotion, promotionWrite } from './promotion.ts';

/** All that the commit of a promotion is decided from, as read from the ledger. */
export interface CommitState {
  readonly promotion: Promotion;
  readonly pointer: Pointer | undefined;
  readonly evidence: ReadonlyMap<GateId, Evidence>;
  readonly approvals: readonly Approval[];
  readonly isQuarantined: boolean;
  /** What is known of the digest of the pointer's debt; without a debt nothing need be. */
  readonly carriers?: Carriers;
}

export type CommitDecision =
  | {
      readonly kind: 'commit';
      /** When the first of the things that the decision rests on expires: it may not be recorded then. */
      readonly until: Date;
      readonly pointer: Pointer;
      readonly writes: readonly Write[];
      readonly event: AuditEvent;
    }
  | { readonly kind: 'refuse'; readonly refusal: Refusal };

/**
 * The one transaction that lets a release into an environment: the pointer moves from the value that was read, each
 * pinned gate's evidence and each approval is checked again by the ledger itself, and every approval is used up.
 */
export function commitPromotion(state: CommitState, now: Date): CommitDecision {
  const { promotion, pointer } = state;
  const refuse = (rule: string, found: string, remedy: string): CommitDecision => ({
    kind: 'refuse',
    refusal: { rule, found, remedy },
  });
  if (promotion.status !== 'open' && promotion.status !== 'awaiting-approval') {
    return refuse('promotion-open', `the promotion is ${promotion.status}`, 'ask for a new promotion');
  }
  if (!(Date.parse(promotion.deadline) > now.getTime())) {
    return refuse('promotion-deadline', `the deadline was ${promotion.deadline}`, 'ask for a new promotion');
  }
  if (state.isQuarantined)
    return refuse(
      'release-quarantined',
      promotion.release,
      'train a new candidate: a quarantined digest never comes back',
    );
  if (promotion.transition === 'initial' && pointer !== undefined) {
    return refuse('initial-only-once', `the pointer names ${pointer.version}`, 'offer a trained candidate');
  }
  if ((promotion.transition === 'initial') !== (promotion.kind === 'baseline')) {
    return refuse(
      'initial-is-baseline',
      `a ${promotion.kind} release by transition ${promotion.transition}`,
      'promote the baseline first',
    );
  }
  if ((pointer?.current ?? null) !== promotion.replaces) {
    return refuse(
      'champion-unchanged',
      `the pointer has moved to ${pointer?.version ?? 'nothing'}`,
      'ask for a new promotion, against the new champion',
    );
  }
  if (pointer?.current === promotion.release)
    return refuse('release-new', 'the pointer names this release already', 'nothing has to be done');
  const { carriers = NO_CARRIERS } = state;
  const inDebt = whyInDebt(pointer, promotion.transition, carriers);
  if (inDebt !== undefined) return { kind: 'refuse', refusal: inDebt };
  if (promotion.gates.length === 0)
    return refuse('gates-pinned', 'no gate is pinned', 'name at least one gate in the policy');
  const lacking = promotion.gates.flatMap(
    (gate) => whyNotAdmitting(state.evidence.get(gate), gate, promotion, now) ?? [],
  );
  if (lacking.length > 0)
    return refuse('evidence-complete', lacking.join('; '), 'evaluate the gates again, or mend what they found');
  const evidence = promotion.gates.flatMap((gate) => state.evidence.get(gate) ?? []);
  const probation = probationOf(state, evidence, now);
  if ('rule' in probation) return { kind: 'refuse', refusal: probation };
  const approvals = approvalsFor(state, evidence, now);
  if ('rule' in approvals) return { kind: 'refuse', refusal: approvals };
  const isHotfix = promotion.transition === 'hotfix';
  // A debt is paid before another release but a hotfix is let in.
  const replaced = pointer === undefined || isHotfix ? pointer : { ...pointer, debt: null };
  const { model, release, version } = promotion;
  const debt = isHotfix ? { release, version, promotion: promotion.promotion, since: now.toISOString() } : null;
  const next = advancePointer(
    pointer,
    {
      model: promotion.model,
      environment: promotion.environment,
      current: promotion.release,
      version: promotion.version,
      fencingToken: promotion.fencingToken,
      writtenBy: promotion.promotion,
      at: now.toISOString(),
    },
    // A release that is let in again does not lie behind itself.
    confirmedReleases(replaced).filter((each) => each.release !== release),
    { until: probation.until, debt },
  );
  const committed: Promotion = {
    ...promotion,
    status: 'committed',
    ending: 'promoted',
    endedAt: now.toISOString(),
    epoch: next.epoch,
  };
  return {
    kind: 'commit',
    until: firstExpiry(promotion, evidence, approvals),
    pointer: next,
    writes: [
      pointerWrite(pointer, next),
      ...evidence.map(evidenceCheck),
      ...(isHotfix ? [] : paidChecks(pointer?.debt ?? null, model, carriers)),
      ...approvals.map(useApproval),
      { kind: 'check', key: keys.quarantine(promotion.model, promotion.release), condition: ABSENT },
      freeLock(promotion),
      promotionWrite(promotion, committed),
    ],
    event: {
      code: 'RELEASE_PROMOTED',
      actor: 'pipeline:pointer',
      release: promotion.release,
      details: {
        promotion: promotion.promotion,
        transition: promotion.transition,
        kind: promotion.kind,
        version: promotion.version,
        asOf: promotion.asOf,
        replaces: pointer?.current ?? null,
        pointerSeq: next.seq,
        epoch: next.epoch,
        requestedBy: promotion.requestedBy,
        approvedBy: approvals.map((approval) => `${approval.subject} (${approval.role})`),
        ...(promotion.hotfix === undefined ? {} : { hotfix: promotion.hotfix }),
        ...(probation.until === null ? {} : { probationUntil: probation.until }),
      },
    },
  };
}

/** Until when the release is on probation, or null; or why it may not be let in beside, or as, one on probation. */
function probationOf(
  { promotion, pointer }: CommitState,
  evidence: readonly Evidence[],
  now: Date,
): { readonly until: string | null } | Refusal {
  if (pointer?.status === 'probation' && promotion.transition !== 'hotfix') {
    return {
      rule: 'one-on-probation',
      found: `${pointer.version} is on probation until ${pointer.until}`,
      remedy: 'confirm it or roll it back, and ask for a new promotion',
    };
  }
  const provisional = evidence.filter((piece) => piece.provisional === true).map(({ gate }) => gate);
  if (provisional.length === 0) return { until: null };
  if (promotion.probationDays === null || pointer === undefined) {
    return {
      rule: 'probation-allowed',
      found: `${provisional.join(', ')} passes provisionally, and ${pointer === undefined ? 'there is nothing to go back to' : 'the policy knows no probation here'}`,
      remedy: 'more matured days of data, or a probation in the policy',
    };
  }
  return { until: new Date(now.getTime() + promotion.probationDays * 86_400_000).toISOString() };
}

/** When the first of a promotion's deadline, its people's time, its evidence and its approvals is over. */
function firstExpiry(promotion: Promotion, evidence: readonly Evidence[], approvals: readonly Approval[]): Date {
  const asked = approvals.length === 0 ? [] : (promotion.approvalRequest?.expiresAt ?? []);
  const expiries = [...evidence, ...approvals].map(({ expiresAt }) => expiresAt);
  return new Date(Math.min(...[promotion.deadline, asked, expiries].flat().map((each) => Date.parse(each))));
}

function approvalsFor(state: CommitState, evidence: readonly Evidence[], now: Date): readonly Approval[] | Refusal {
  const { promotion } = state;
  if (promotion.approvals.length === 0) return [];
  if (promotion.approvalRequest?.evidence !== evidenceRoot(evidence)) {
    return {
      rule: 'approval-bound',
      found: 'the evidence is not the evidence that people saw',
      remedy: 'ask for a new promotion',
    };
  }
  const outcome = judgeApprovals(promotion, state.approvals, now);
  switch (outcome.kind) {
    case 'approved':
      return outcome.approvals;
    case 'rejected':
      return { rule: 'approval-given', found: `rejected by ${outcome.by.subject}`, remedy: 'ask for a new promotion' };
    case 'pending': {
      const missing = outcome.missing.map((rule) => `${rule.count} of ${rule.role}`).join(', ');
      return { rule: 'approval-given', found: `missing: ${missing}`, remedy: 'let people of these roles approve' };
    }
  }
}

function evidenceCheck(evidence: Evidence): Write {
  return {
    kind: 'check',
    key: keys.evidence(evidence.gate, evidence.model, evidence.release, evidence.admitsTo, evidence.policy),
    condition: equals({ body: bodyOf(evidence), verdict: evidence.verdict, expiresAt: evidence.expiresAt }),
  };
}

function useApproval(approval: Approval): Write {
  const key = keys.approval(approval.model, approval.promotion, approval.subject);
  return {
    kind: 'put',
    item: { ...key, ...approval, status: 'used' },
    condition: equals({ status: 'unused', statement: approval.statement, expiresAt: approval.expiresAt }),
  };
}
