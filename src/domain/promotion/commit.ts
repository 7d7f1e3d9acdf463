import type { Approval } from '../approval/approval.ts';
import type { AuditEvent } from '../audit/events.ts';
import type { Refusal } from '../refusal/refusal.ts';
import type { Evidence } from '../gates/evidence.ts';
import { equals, type Write } from '../ledger/item.ts';
import { keys } from '../ledger/keys.ts';
import {
  groundChecks,
  type GroundsState,
  judgeGrounds,
  pinnedEvidence,
  provisionalGates,
  whyNotCommitting,
} from './grounds.ts';
import type { LatencyBaseline } from './latency.ts';
import { advancePointer, confirmedReleases, type Pointer, pointerWrite } from './pointer.ts';
import { freeLock, type Promotion, promotionWrite } from './promotion.ts';

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
 * The one transaction that promotes a release in an environment: the pointer moves from the value that was read, all
 * that the decision rests on is checked again by the ledger itself, and every approval is used up.
 *
 * @param latency what the release's latency is compared with while it is served; null where it answers no requests
 */
export function commitPromotion(
  state: GroundsState,
  now: Date,
  latency: LatencyBaseline | null = null,
): CommitDecision {
  const { promotion, pointer } = state;
  const grounds = judgeGrounds(state, now);
  const refusal = whyNotCommitting(grounds);
  if (refusal !== undefined) return { kind: 'refuse', refusal };
  const approvals = grounds.people.kind === 'approved' ? grounds.people.approvals : [];
  const evidence = pinnedEvidence(state);
  const until = probationEnd(state, now);
  const isHotfix = promotion.transition === 'hotfix';
  // A pending propagation is paid before another release but a hotfix is promoted.
  const replaced = pointer === undefined || isHotfix ? pointer : { ...pointer, pendingPropagation: null };
  const { release, version } = promotion;
  const pendingPropagation = isHotfix
    ? { release, version, promotion: promotion.promotion, since: now.toISOString() }
    : null;
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
    // A release that is promoted again is not in its own rollback history.
    confirmedReleases(replaced).filter((each) => each.release !== release),
    { until, pendingPropagation, latency },
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
      ...groundChecks(state),
      ...approvals.map(useApproval),
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
        ...(until === null ? {} : { probationUntil: until }),
      },
    },
  };
}

/** When the release's probation ends, or null where no gate passes provisionally. */
function probationEnd(state: GroundsState, now: Date): string | null {
  const { probationDays } = state.promotion;
  if (probationDays === null || provisionalGates(state).length === 0) return null;
  return new Date(now.getTime() + probationDays * 86_400_000).toISOString();
}

/** When the first of a promotion's deadline, its people's time, its evidence and its approvals is over; what was approved before a canary stays so. */
function firstExpiry(promotion: Promotion, evidence: readonly Evidence[], approvals: readonly Approval[]): Date {
  const people = promotion.approvedAt === null ? approvals : [];
  const asked = people.length === 0 ? [] : (promotion.approvalRequest?.expiresAt ?? []);
  const expiries = [...evidence, ...people].map(({ expiresAt }) => expiresAt);
  return new Date(Math.min(...[promotion.deadline, asked, expiries].flat().map((each) => Date.parse(each))));
}

function useApproval(approval: Approval): Write {
  const key = keys.approval(approval.model, approval.promotion, approval.subject);
  return {
    kind: 'put',
    item: { ...key, ...approval, status: 'used' },
    condition: equals({ status: 'unused', statement: approval.statement, expiresAt: approval.expiresAt }),
  };
}
