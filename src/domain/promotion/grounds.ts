import { ORIGIN } from '../environment/environment.ts';
import { type Approval, type ApprovalOutcome, judgeApprovals } from '../approval/approval.ts';
import { canonicalJson } from '../canonical/digest.ts';
import { type Refusal, refusal as refuse, type RuleId } from '../refusal/refusal.ts';
import { attestationsCheck, type NewestAttestations } from '../attestation/newest.ts';
import { bodyOf, type Evidence, evidenceRoot, whyNotAdmitting } from '../gates/evidence.ts';
import { type GateId, phaseOf } from '../gates/gate.ts';
import { dataValidated } from '../gates/gates/data-validated.ts';
import { releasedUpstream, type Upstream } from '../gates/gates/released-upstream.ts';
import { ABSENT, equals, keyText, keyOf, type Write } from '../ledger/item.ts';
import { keys } from '../ledger/keys.ts';
import { type ActivePolicy, stillInForce } from '../policy/activation.ts';
import { attestationKeys, attestationsHold } from './attested-grounds.ts';
import { type Propagation, propagationChecks, whyNotPropagated } from './pending-propagation.ts';
import type { Pointer } from './pointer.ts';
import { notQuarantined } from './quarantine.ts';
import { isOpen, type Promotion, PromotionRequest, pinnedBy, transitionOf } from './promotion.ts';

/** Everything in the ledger that a promotion's commit rests on, as it stood at one time. */
export interface GroundsState {
  readonly promotion: Promotion;
  /** The request as `intake` wrote it from a verified record, or undefined where there is none. */
  readonly request: PromotionRequest | undefined;
  readonly pointer: Pointer | undefined;
  readonly active: ActivePolicy | undefined;
  readonly evidence: ReadonlyMap<GateId, Evidence>;
  readonly approvals: readonly Approval[];
  readonly isQuarantined: boolean;
  /** What the signed chains of peers say of the release, by environment. */
  readonly upstream: ReadonlyMap<string, Upstream>;
  /** What is attested of the release and its commit, by key, for the gates that judge it. */
  readonly attestations: ReadonlyMap<string, NewestAttestations>;
  /** What is known of the digest of the pointer's pending propagation. */
  readonly propagation: Propagation;
}

/** What stands for and against a commit now. */
export interface Grounds {
  /** Why the promotion cannot be committed whatever people say; empty when nothing stands against it. */
  readonly unmet: readonly Refusal[];
  /** What people have said; approved by nobody where nobody is needed. */
  readonly people: ApprovalOutcome;
}

/** Which of the pinned gates have to have spoken. */
type Asked = (gate: GateId) => boolean;

type Rule = (state: GroundsState, now: Date, asked: Asked) => Refusal | undefined;

/**
 * Every condition of a commit but the approvals, in the order in which they are named to people. A condition that only a
 * gate's verdict attests is not enough: what the verdict rested on in the ledger is evaluated again.
 */
const RULES: readonly Rule[] = [
  ({ promotion: { status } }) => (isOpen(status) ? undefined : refuse('promotion-open', `the promotion is ${status}`)),
  ({ promotion: { deadline } }, now) =>
    Date.parse(deadline) > now.getTime() ? undefined : refuse('promotion-deadline', `the deadline was ${deadline}`),
  ({ promotion, isQuarantined }) =>
    isQuarantined
      ? refuse(
          'release-quarantined',
          promotion.release,
          'train a new candidate; an automatic quarantine can be lifted by votes',
        )
      : undefined,
  requestVerified,
  ({ promotion, pointer }) =>
    promotion.transition === 'initial' && pointer !== undefined
      ? refuse('initial-only-once', `the pointer names ${pointer.version}`, 'offer a trained candidate')
      : undefined,
  ({ promotion, pointer }) =>
    (pointer?.current ?? null) === promotion.replaces
      ? undefined
      : refuse(
          'champion-unchanged',
          `the pointer has moved to ${pointer?.version ?? 'nothing'}`,
          'request a new promotion, against the new champion',
        ),
  ({ promotion, pointer }) =>
    pointer?.current === promotion.release
      ? refuse('release-new', 'the pointer names this release already', 'nothing has to be done')
      : undefined,
  ({ promotion, pointer, propagation }) => whyNotPropagated(pointer, promotion.transition, propagation),
  ({ promotion }) =>
    promotion.gates.length === 0
      ? refuse('gates-pinned', 'no gate is pinned', 'name at least one gate in the policy')
      : undefined,
  policyInForce,
  evidenceComplete,
  attestationsHold,
  ({ promotion, upstream }) => {
    const { verdict, reasons } = upstreamVerdict(promotion, upstream);
    return verdict === 'PASS'
      ? undefined
      : refuse('released-upstream', reasons.join('; '), `release it in ${promotion.source} again, or promote another`);
  },
  ({ promotion, upstream }) => {
    if (!promotion.gates.includes('data-validated')) return undefined;
    const { verdict, reasons } = dataValidated(upstream.get(ORIGIN), promotion.release);
    return verdict === 'PASS'
      ? undefined
      : refuse('data-validated', reasons.join('; '), 'train a new candidate on data that passes its checks');
  },
  probationAllowed,
  ({ promotion, evidence }) => {
    const pieces = seenByPeople(pinnedEvidence({ promotion, evidence }));
    if (promotion.approvals.length === 0 || promotion.approvalRequest?.evidence === evidenceRoot(pieces))
      return undefined;
    return promotion.approvalRequest === null
      ? refuse('approval-bound', 'no approvals have been requested', 'wait until the gates have passed')
      : refuse('approval-bound', 'the evidence is not the evidence that people saw', 'request a new promotion');
  },
];

/**
 * Judges what a commit rests on, at one time. The commit, `why` and `fsck` all ask this one function: the commit of what
 * it reads, `why` of an open promotion, and `fsck` of the ledger as the chain rebuilds it at each commit.
 * @param asked which gates have to have spoken: all of them for a commit; a canary begins on those before it
 */
export function judgeGrounds(state: GroundsState, now: Date, asked: Asked = () => true): Grounds {
  const { promotion, approvals } = state;
  return {
    unmet: RULES.flatMap((rule) => rule(state, now, asked) ?? []),
    people:
      promotion.approvals.length === 0
        ? { kind: 'approved', approvals: [] }
        : // People who have approved in time have approved: a canary may take longer than they had.
          judgeApprovals(promotion, approvals, new Date(promotion.approvedAt ?? now)),
  };
}

/** The rules that stay broken once they are, or as good as: waiting mends none of them, whatever people decide. */
const LASTING = new Set<RuleId>([
  'release-quarantined',
  'request-verified',
  'policy-in-force',
  'released-upstream',
  'data-validated',
  'champion-unchanged',
]);

/** Why a promotion can never be committed any more, or undefined. */
export function whyNeverCommitting({ unmet }: Grounds): Refusal | undefined {
  return unmet.find(({ rule }) => LASTING.has(rule));
}

/** Why a promotion cannot be committed now, people included, or undefined. */
export function whyNotCommitting({ unmet, people }: Grounds): Refusal | undefined {
  if (unmet[0] !== undefined) return unmet[0];
  switch (people.kind) {
    case 'approved':
      return undefined;
    case 'rejected':
      return refuse('approval-given', `rejected by ${people.by.subject}`, 'request a new promotion');
    case 'pending': {
      const missing = people.missing.map((rule) => `${rule.count} of ${rule.role}`).join(', ');
      return refuse('approval-given', `missing: ${missing}`, 'let people of these roles approve');
    }
  }
}

/** The evidence of the pinned gates, as far as there is any. */
export function pinnedEvidence({
  promotion,
  evidence,
}: Pick<GroundsState, 'promotion' | 'evidence'>): readonly Evidence[] {
  return promotion.gates.flatMap((gate) => evidence.get(gate) ?? []);
}

/** Whether a gate is evaluated before people are asked. */
export function isBeforeApproval(gate: GateId): boolean {
  return phaseOf(gate) === 'before-approval';
}

/** The evidence of the gates of the first phase: what people see when they decide, and what their approvals are bound to. */
export function seenByPeople(evidence: readonly Evidence[]): readonly Evidence[] {
  return evidence.filter(({ gate }) => isBeforeApproval(gate));
}

/** The checks by which a transaction holds only while the grounds are what was read. */
export function groundChecks(state: GroundsState): readonly Write[] {
  const { promotion, request, pointer, active, upstream, propagation } = state;
  const { model, release } = promotion;
  const checks: readonly Write[] = [
    ...pinnedEvidence(state).map(evidenceCheck),
    ...attestationKeys(state).map((key) => attestationsCheck(key, state.attestations.get(keyText(key)))),
    ...upstreamsOf(promotion).map((environment): Write => {
      const said = upstream.get(environment);
      const condition = said === undefined ? ABSENT : equals({ record: said.record, withdrawn: said.withdrawn });
      return { kind: 'check', key: keys.upstream(model, release, environment), condition };
    }),
    ...(promotion.transition === 'hotfix'
      ? []
      : propagationChecks(pointer?.pendingPropagation ?? null, model, propagation)),
    ...(active === undefined ? [] : [stillInForce(model, active)]),
    ...(request === undefined
      ? []
      : [
          {
            kind: 'check',
            key: keys.promotionRequest(model, promotion.promotion),
            condition: equals({ record: request.record }),
          } as const,
        ]),
    notQuarantined(model, release),
  ];
  // A transaction names no item twice: what a pending propagation's digest and the release have in common is checked once.
  return [...new Map(checks.map((check) => [keyText(keyOf(check)), check])).values()];
}

/** The environments whose word on the release a promotion's gates rest on. */
export function upstreamsOf({ gates, source, transition }: Promotion): readonly string[] {
  const named = [
    ...(gates.includes('released-upstream') ? [source, ...(transition === 'hotfix' ? ['staging'] : [])] : []),
    ...(gates.includes('data-validated') ? [ORIGIN] : []),
  ];
  return [...new Set(named)];
}

/** What the gate `released-upstream` says of a promotion's release, from what is known of it now. */
export function upstreamVerdict(
  { release, source, transition, gates }: Promotion,
  upstream: GroundsState['upstream'],
): ReturnType<typeof releasedUpstream> {
  if (!gates.includes('released-upstream')) return { verdict: 'PASS', reasons: [], numbers: {} };
  const hotfix = transition === 'hotfix' ? { skipped: upstream.get('staging') } : undefined;
  return releasedUpstream(upstream.get(source), release, source, hotfix);
}

/** The promotion says what the verified request says, and goes by the transition that follows from it. */
function requestVerified({ promotion, request }: GroundsState): Refusal | undefined {
  if (request === undefined) return refuse('request-verified', `no verified request is called ${promotion.promotion}`);
  const differing = Object.keys(PromotionRequest.shape).filter((name) => {
    const [is, asked] = [Reflect.get(promotion, name), Reflect.get(request, name)] as readonly unknown[];
    return canonicalJson(is ?? null) !== canonicalJson(asked ?? null);
  });
  if (differing.length > 0)
    return refuse('request-verified', `the promotion differs from its request in ${differing.join(', ')}`);
  const transition = transitionOf(promotion.environment, request);
  return promotion.transition === transition
    ? undefined
    : refuse('request-verified', `its transition is ${promotion.transition}, not ${transition}`);
}

/** The policy in force is the one that was pinned, and pins what the promotion carries. */
function policyInForce({ promotion, active, pointer }: GroundsState): Refusal | undefined {
  const remedy = 'request a new promotion, under the policy in force';
  if (active === undefined || active.policy !== promotion.policy)
    return refuse('policy-in-force', `${promotion.policy} is pinned, ${active?.policy ?? 'none'} is in force`, remedy);
  const rule = active.rules.transitions[promotion.transition];
  if (rule === undefined)
    return refuse('policy-in-force', `the policy has no transition ${promotion.transition}`, remedy);
  const differing = Object.entries(pinnedBy(rule, promotion, pointer?.version)).filter(
    ([name, value]) => canonicalJson(Reflect.get(promotion, name) as unknown) !== canonicalJson(value),
  );
  return differing.length === 0
    ? undefined
    : refuse('policy-in-force', `the promotion pins other ${differing.map(([name]) => name).join(', ')}`, remedy);
}

function evidenceComplete({ promotion, evidence }: GroundsState, now: Date, asked: Asked): Refusal | undefined {
  const lacking = promotion.gates
    .filter(asked)
    .flatMap((gate) => whyNotAdmitting(evidence.get(gate), gate, promotion, now) ?? []);
  return lacking.length === 0
    ? undefined
    : refuse('evidence-complete', lacking.join('; '), 'request a new promotion: its gates are evaluated again');
}

/** Whether the release may be promoted beside, or as, one on probation. */
function probationAllowed(state: GroundsState): Refusal | undefined {
  const { promotion, pointer } = state;
  if (pointer?.status === 'probation' && promotion.transition !== 'hotfix')
    return refuse(
      'one-on-probation',
      `${pointer.version} is on probation until ${pointer.until}`,
      'confirm it or roll it back, and request a new promotion',
    );
  const provisional = provisionalGates(state);
  if (provisional.length === 0 || (promotion.probationDays !== null && pointer !== undefined)) return undefined;
  return refuse(
    'probation-allowed',
    `${provisional.join(', ')} passes provisionally, and ${pointer === undefined ? 'there is nothing to go back to' : 'the policy has no probation here'}`,
    'more matured days of data, or a probation in the policy',
  );
}

/** The pinned gates that pass provisionally. */
export function provisionalGates(state: Pick<GroundsState, 'promotion' | 'evidence'>): readonly GateId[] {
  return pinnedEvidence(state)
    .filter((piece) => piece.provisional === true)
    .map(({ gate }) => gate);
}

function evidenceCheck(evidence: Evidence): Write {
  return {
    kind: 'check',
    key: keys.evidence(evidence.gate, evidence.model, evidence.release, evidence.admitsTo, evidence.policy),
    condition: equals({ body: bodyOf(evidence), verdict: evidence.verdict, expiresAt: evidence.expiresAt }),
  };
}
