import { diff } from 'semver';
import { z } from 'zod';
import { Digest } from '../canonical/digest.ts';
import { GateId } from '../gates/gate.ts';
import { ABSENT, equals, type Write } from '../ledger/item.ts';
import { keys } from '../ledger/keys.ts';
import { Day, ModelName } from '../model/definition.ts';
import { CanaryRequest, CanaryRule, askedFor } from '../policy/canary.ts';
import type { ApprovalRule } from '../policy/approval-rule.ts';
import { Hotfix, Transition, type TransitionRule } from '../policy/policy.ts';
import { Role } from '../policy/role.ts';
import { WORK_HOURS } from './durations.ts';
import type { Pointer } from './pointer.ts';
import { Version } from '../release/registration.ts';

/** What asks for a promotion: an offer of dev, a promotion of the environment before, or a person through control. */
export const PromotionRequest = z.strictObject({
  model: ModelName,
  release: Digest,
  version: Version,
  kind: z.enum(['trained', 'baseline']),
  transition: Transition,
  /** Why it is to come to prod past staging; there for a hotfix, and only for one. */
  hotfix: Hotfix.exactOptional(),
  /** That its canary lasts for other hours than the policy's, or is left out, where that was asked for. */
  canaryRequest: CanaryRequest.exactOptional(),
  requestedBy: z.string().min(1),
  /** The environment that has the files, and the place in its (or control's) chain of the record that asks. */
  source: z.string().min(1),
  requestedIn: z.string().min(1),
  requestSeq: z.int().nonnegative(),
  /** The hash of that record, whose signature was verified. */
  record: Digest,
  asOf: Day,
});
export type PromotionRequest = z.infer<typeof PromotionRequest>;

export const PromotionStatus = z.enum([
  'open',
  'awaiting-approval',
  /** Approved, and watched while it answers stored or live requests. */
  'in-canary',
  'committed',
  'refused',
  'failed',
  'superseded',
]);
export type PromotionStatus = z.infer<typeof PromotionStatus>;

/** Whether a promotion has not ended: it holds the lock. */
export function isOpen(status: PromotionStatus): boolean {
  return status === 'open' || status === 'awaiting-approval' || status === 'in-canary';
}

/** The saga that carries one digest into one environment. Policy and gates are pinned when it opens. */
export const Promotion = z.strictObject({
  formatVersion: z.literal(1),
  promotion: z.string().min(1),
  ...PromotionRequest.shape,
  environment: z.string().min(1),
  status: PromotionStatus,
  fencingToken: z.int().min(1),
  policy: Digest,
  gates: z.array(GateId),
  approvals: z.array(z.strictObject({ role: Role, count: z.int().min(1) })),
  evidenceValidHours: z.number().positive(),
  approvalHours: z.number().positive(),
  /** How long a probation lasts, where the policy knows one for this transition. */
  probationDays: z.int().min(1).nullable().default(null),
  /** How it is watched while it takes a part of the traffic, where the policy knows that for this transition. */
  canary: CanaryRule.nullable().default(null),
  openedAt: z.iso.datetime(),
  /** When the reconciler ends it. */
  deadline: z.iso.datetime(),
  execution: z.string().min(1),
  approvalRequest: z.strictObject({ evidence: Digest, expiresAt: z.iso.datetime() }).nullable(),
  /** When its approvals were found to suffice, before its canary: they are judged as of then. */
  approvedAt: z.iso.datetime().nullable().default(null),
  /** Why it ended, when it did. */
  ending: z.string().nullable(),
  endedAt: z.iso.datetime().nullable(),
  /** The epoch of the pointer that its commit began, if it was committed. */
  epoch: z.int().min(1).nullable().default(null),
  /** The champion that it is compared with, and that the commit must still find. */
  replaces: Digest.nullable(),
});
export type Promotion = z.infer<typeof Promotion>;

/** One open promotion per (model, environment): whoever holds the lock, under a token that only grows. */
export const Lock = z.strictObject({
  promotion: z.string().nullable(),
  fencingToken: z.int().nonnegative(),
});
export type Lock = z.infer<typeof Lock>;

/** A promotion's name: the same request has the same one, so that a second delivery opens nothing. */
export function promotionName(request: PromotionRequest): string {
  const digest = request.release.slice('sha256:'.length, 'sha256:'.length + 12);
  return `${request.model}-${digest}-${request.transition}-${request.requestedIn}-${request.requestSeq}`;
}

/** How a release comes into an environment: it follows from what was requested, and is nobody's to choose. */
export function transitionOf(
  environment: string,
  { kind, hotfix }: Pick<PromotionRequest, 'kind' | 'hotfix'>,
): Transition {
  // Whatever is to come past staging is a hotfix, the first release too: its rule says whether, and by whom.
  if (hotfix !== undefined) return 'hotfix';
  if (kind === 'baseline') return 'initial';
  return environment === 'prod' ? 'prod' : 'staging';
}

/**
 * What a promotion pins of its transition's rule when it opens.
 * @param served the version of the champion, if there is one
 */
export function pinnedBy(
  rule: TransitionRule,
  request: Pick<PromotionRequest, 'version' | 'canaryRequest'>,
  served: string | undefined,
): Pick<Promotion, 'gates' | 'approvals' | 'evidenceValidHours' | 'approvalHours' | 'probationDays' | 'canary'> {
  const { gates, evidenceValidHours, approvalHours, probation } = rule;
  const canary = rule.canary === undefined ? null : askedFor(rule.canary, request.canaryRequest);
  const more = request.canaryRequest?.kind === 'shadow-only' ? (canary?.shadowOnly ?? []) : [];
  const approvals = approvalsFor(rule, more, { from: served, to: request.version });
  return { gates, approvals, evidenceValidHours, approvalHours, probationDays: probation?.days ?? null, canary };
}

/** Whose approval a transition needs: everybody's, that of the people for the level by which the versions differ, and of some more. */
function approvalsFor(
  { approvals, approvalsByLevel }: TransitionRule,
  others: readonly ApprovalRule[],
  { from, to }: { readonly from: string | undefined; readonly to: string },
): ApprovalRule[] {
  const level = from === undefined ? 'major' : diff(from, to);
  const more = level === 'major' || level === 'minor' || level === 'patch' ? (approvalsByLevel?.[level] ?? []) : [];
  const counts = new Map<Role, number>();
  for (const { role, count } of [...approvals, ...more, ...others])
    counts.set(role, Math.max(count, counts.get(role) ?? 0));
  return [...counts].map(([role, count]) => ({ role, count }));
}

/** The write that keeps a verified request: the promotion machine reads it, and trusts nothing else. */
export function requestWrite(request: PromotionRequest): Write {
  return {
    kind: 'put',
    item: { ...keys.promotionRequest(request.model, promotionName(request)), ...request },
    condition: ABSENT,
  };
}

/** The condition under which a promotion may still change anything: it holds the lock under its own token. */
export function holdsLock(promotion: Promotion): Write {
  return {
    kind: 'check',
    key: keys.lock(promotion.model),
    condition: equals({ promotion: promotion.promotion, fencingToken: promotion.fencingToken }),
  };
}

/** The write that takes the lock from what was read. */
export function takeLock(
  model: string,
  previous: Lock | undefined,
  promotion: string,
): { readonly lock: Lock; readonly write: Write } {
  const lock = { promotion, fencingToken: (previous?.fencingToken ?? 0) + 1 };
  return {
    lock,
    write: {
      kind: 'put',
      item: { ...keys.lock(model), ...lock },
      condition:
        previous === undefined
          ? ABSENT
          : equals({ promotion: previous.promotion, fencingToken: previous.fencingToken }),
    },
  };
}

/** The write that gives the lock back: only by the one who holds it. The token stays, so that it only grows. */
export function freeLock(promotion: Promotion): Write {
  return {
    kind: 'put',
    item: { ...keys.lock(promotion.model), promotion: null, fencingToken: promotion.fencingToken },
    condition: equals({ promotion: promotion.promotion, fencingToken: promotion.fencingToken }),
  };
}

/** The write that replaces a promotion's record, provided that its status is still the one that was read. */
export function promotionWrite(previous: Promotion | undefined, next: Promotion): Write {
  return {
    kind: 'put',
    item: { ...keys.promotion(next.model, next.promotion), ...next },
    condition:
      previous === undefined ? ABSENT : equals({ status: previous.status, fencingToken: previous.fencingToken }),
  };
}

/** A promotion that a request opens now. */
export function openPromotion(
  request: PromotionRequest,
  pinned: {
    readonly environment: string;
    /** What the policy says of the request's transition. */
    readonly rule: TransitionRule;
    readonly policyDigest: Digest;
    readonly fencingToken: number;
    readonly execution: string;
    readonly champion: Pick<Pointer, 'current' | 'version'> | undefined;
    readonly now: Date;
  },
): Promotion {
  const { rule } = pinned;
  return {
    formatVersion: 1,
    promotion: promotionName(request),
    ...request,
    environment: pinned.environment,
    status: 'open',
    fencingToken: pinned.fencingToken,
    policy: pinned.policyDigest,
    ...pinnedBy(rule, request, pinned.champion?.version),
    openedAt: pinned.now.toISOString(),
    deadline: new Date(pinned.now.getTime() + hoursOf(rule, request) * 3_600_000).toISOString(),
    execution: pinned.execution,
    approvalRequest: null,
    approvedAt: null,
    ending: null,
    endedAt: null,
    epoch: null,
    replaces: pinned.champion?.current ?? null,
  };
}

/** Hours that a promotion may take: people's, its canary's until its deadline, and those of its own work. */
export function hoursOf(rule: TransitionRule, request: Pick<PromotionRequest, 'canaryRequest'>): number {
  const canary = rule.canary === undefined ? undefined : askedFor(rule.canary, request.canaryRequest);
  return rule.approvalHours + (canary?.deadlineHours ?? 0) + WORK_HOURS;
}

/** How a request stands to the promotion that holds the lock: two asks from one place are newer and older, others just wait. */
export function ageOf(request: PromotionRequest, holder: Promotion): 'newer' | 'older' | 'unrelated' {
  // A baseline is never pushed aside: everything after it needs something to go back to.
  if (holder.kind === 'baseline' || request.kind === 'baseline') return 'unrelated';
  // A hotfix goes before whatever else is under way, and nothing else goes before a hotfix.
  const isHotfix = request.transition === 'hotfix';
  if (isHotfix !== (holder.transition === 'hotfix')) return isHotfix ? 'newer' : 'unrelated';
  if (request.requestedIn !== holder.requestedIn) return 'unrelated';
  if (request.requestSeq < holder.requestSeq) return 'older';
  // What takes traffic already is judged: whatever is newer waits for that, but a hotfix.
  return holder.status === 'in-canary' && !isHotfix ? 'unrelated' : 'newer';
}
