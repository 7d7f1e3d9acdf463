import type { Approval } from '#domain/approval/approval.ts';
import { digestOf } from '#domain/canonical/digest.ts';
import { type Evidence, evidenceOf, evidenceRoot, evidenceWrite } from '#domain/gates/evidence.ts';
import type { GateId } from '#domain/gates/gate.ts';
import { Upstream } from '#domain/gates/gates/released-upstream.ts';
import type { Item, Write } from '#domain/ledger/item.ts';
import { keys } from '#domain/ledger/keys.ts';
import type { Policy } from '#domain/policy/policy.ts';
import { Role } from '#domain/policy/role.ts';
import type { ActivePolicy } from '#domain/policy/activation.ts';
import { NO_PROPAGATION } from '#domain/promotion/pending-propagation.ts';
import type { GroundsState } from '#domain/promotion/grounds.ts';
import type { Pointer } from '#domain/promotion/pointer.ts';
import { pointerWrite } from '#domain/promotion/pointer.ts';
import { openPromotion, type Promotion, type PromotionRequest, requestWrite } from '#domain/promotion/promotion.ts';
import { ACTIVATION, comparisonRule, probationRule } from '#test/domain/policy/_rule.ts';

export const MODEL = 'flight-delay';
export const NOW = new Date('2026-03-02T09:00:00.000Z');
export const POLICY = digestOf('policy');
export const CHAMPION = digestOf('champion');
export const GATES: GateId[] = ['released-upstream', 'release-integrity', 'metric-baseline', 'better-than-champion'];
export const hours = (count: number): string => new Date(NOW.getTime() + count * 3_600_000).toISOString();

const transition = {
  gates: GATES,
  approvals: [
    { role: Role.enum['ml-lead'], count: 2 },
    { role: Role.enum.platform, count: 1 },
  ],
  opensOnOffer: false,
  evidenceValidHours: 72,
  approvalHours: 48,
};
export const policy = {
  formatVersion: 1 as const,
  model: MODEL,
  activation: ACTIVATION,
  comparison: comparisonRule(),
  transitions: {
    initial: { ...transition, gates: GATES.slice(0, 2), approvals: [] },
    staging: { ...transition, approvals: [] },
    prod: transition,
    hotfix: transition,
  },
} satisfies Policy;

export const pointer: Pointer = {
  formatVersion: 1,
  model: MODEL,
  environment: 'prod',
  current: CHAMPION,
  version: '1.0.0',
  status: 'confirmed',
  lastConfirmed: { release: digestOf('baseline'), version: '0.1.0' },
  rollbackHistory: [],
  until: null,
  pendingPropagation: null,
  latency: null,
  traffic: { planSeq: 2, arms: [{ arm: 'champion', release: CHAMPION, share: 1 }] },
  seq: 2,
  epoch: 2,
  fencingToken: 2,
  writtenBy: 'earlier',
  at: hours(-24),
};

export const PASSED = { verdict: 'PASS', reasons: ['fine'], numbers: { value: 1 } } as const;

export function request(overrides: Partial<PromotionRequest> = {}): PromotionRequest {
  return {
    model: MODEL,
    release: digestOf('candidate'),
    version: '1.0.1',
    kind: 'trained',
    transition: 'prod',
    requestedBy: 'person:eng',
    source: 'staging',
    requestedIn: 'control',
    requestSeq: 5,
    record: digestOf('record of the request'),
    asOf: '2026-03-01',
    ...overrides,
  };
}

/** The policy in force, with a probation in each transition if it has one. */
export function inForce(probationDays: number | null = null): ActivePolicy {
  const probation = probationDays === null ? {} : { probation: probationRule(probationDays) };
  const { initial, staging, prod, hotfix } = policy.transitions;
  const transitions = {
    initial,
    staging: { ...staging, ...probation },
    prod: { ...prod, ...probation },
    hotfix: { ...hotfix, ...probation },
  };
  return { formatVersion: 1, policy: POLICY, activation: 1, rules: { ...policy, transitions } };
}

/** What an environment's signed chain says of a release. */
export function said(environment: string, release = digestOf('candidate')): Upstream {
  return Upstream.parse({
    environment,
    code: environment === 'dev' ? 'RELEASE_REGISTERED' : 'RELEASE_PROMOTED',
    release,
    kind: 'trained',
    version: '1.0.1',
    asOf: '2026-03-01',
    seq: 3,
    record: digestOf(`${environment} of ${release}`),
    withdrawn: null,
  });
}

/** An approval of a promotion as it should be. */
export function approvalOf(promotion: Promotion, subject: string, role: Role, evidence: readonly Evidence[]): Approval {
  return {
    formatVersion: 1,
    model: promotion.model,
    promotion: promotion.promotion,
    subject: `person:${subject}`,
    role,
    decision: 'approve',
    release: promotion.release,
    environment: promotion.environment,
    transition: promotion.transition,
    policy: promotion.policy,
    evidence: evidenceRoot(evidence),
    comment: '',
    statement: digestOf(`statement of ${subject} on ${promotion.promotion}`),
    expiresAt: hours(20),
    status: 'unused',
  };
}

/** All that a promotion into prod needs: four gates' evidence, and the approvals of three people. */
export function admissible(
  asked: Partial<PromotionRequest> = {},
  fencingToken = 3,
): GroundsState & { readonly evidence: Map<GateId, Evidence>; readonly request: PromotionRequest } {
  const requested = request(asked);
  const opened = openPromotion(requested, {
    environment: 'prod',
    rule: policy.transitions[asked.transition ?? 'prod'],
    policyDigest: POLICY,
    fencingToken,
    execution: 'execution',
    champion: pointer,
    now: NOW,
  });
  const pieces = opened.gates.map((gate) => evidenceOf(opened, gate, PASSED, null, NOW));
  const promotion: Promotion = {
    ...opened,
    status: 'awaiting-approval',
    approvalRequest: { evidence: evidenceRoot(pieces), expiresAt: hours(48) },
  };
  return {
    promotion,
    request: requested,
    pointer,
    active: inForce(),
    upstream: new Map([[requested.source, said(requested.source, requested.release)]]),
    attestations: new Map(),
    propagation: NO_PROPAGATION,
    evidence: new Map(pieces.map((piece) => [piece.gate, piece])),
    approvals: [
      approvalOf(promotion, 'lea', 'ml-lead', pieces),
      approvalOf(promotion, 'lou', 'ml-lead', pieces),
      approvalOf(promotion, 'pat', 'platform', pieces),
    ],
    isQuarantined: false,
  };
}

const put = (item: Item): Write => ({ kind: 'put', item });

/** The writes of a state's promotion, evidence and approvals. */
export function recordsOf({ promotion, request: requested, evidence, approvals, upstream }: GroundsState): Write[] {
  return [
    ...(requested === undefined ? [] : [requestWrite(requested)]),
    ...[...upstream.values()].map((each) =>
      put({ ...keys.upstream(MODEL, promotion.release, each.environment), ...each }),
    ),
    ...[...evidence.values()].map(evidenceWrite),
    ...approvals.map((approval) =>
      put({ ...keys.approval(MODEL, promotion.promotion, approval.subject), ...approval }),
    ),
    put({ ...keys.promotion(MODEL, promotion.promotion), ...promotion }),
  ];
}

/** The writes that make a ledger say what a state says: its promotion holds the lock. */
export function writesOf(state: GroundsState): Write[] {
  const { promotion, fencingToken } = state.promotion;
  return [
    ...(state.pointer === undefined ? [] : [pointerWrite(undefined, state.pointer)]),
    ...recordsOf(state),
    ...(state.active === undefined ? [] : [put({ ...keys.policy(MODEL), ...state.active })]),
    put({ ...keys.lock(MODEL), promotion, fencingToken }),
  ];
}
