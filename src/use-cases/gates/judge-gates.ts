import { ORIGIN } from '#domain/environment/environment.ts';
import { z } from 'zod';
import type { AttestedGate } from '#domain/attestation/attestation.ts';
import { Digest } from '#domain/canonical/digest.ts';
import { StoredMeasure } from '#domain/comparison/measure.ts';
import { CanaryMinutes } from '#domain/canary/minutes.ts';
import { trafficOf } from '#domain/canary/traffic.ts';
import { type GateId, type GateResult, phaseOf } from '#domain/gates/gate.ts';
import { canaryPower } from '#domain/gates/gates/canary-power.ts';
import { MEASURED_GATES } from '#domain/gates/measured.ts';
import { dataValidated } from '#domain/gates/gates/data-validated.ts';
import { releaseIntegrity, VerificationReport } from '#domain/gates/gates/release-integrity.ts';
import { releasedUpstream } from '#domain/gates/gates/released-upstream.ts';
import { Refusal, refusal } from '#domain/refusal/refusal.ts';
import type { ActivePolicy } from '#domain/policy/activation.ts';
import { type DeployedModels, deployedModel } from '#domain/model/deployed.ts';
import { attestedVerdict } from '#domain/promotion/attested-grounds.ts';
import { planKind } from '#domain/promotion/canary.ts';
import { confirmedReleases } from '#domain/promotion/pointer.ts';
import type { Promotion } from '#domain/promotion/promotion.ts';
import { readDocument } from '#ports/documents.ts';
import type { ArtifactStore } from '#ports/artifact-store.ts';
import { bestThroughput } from '#read-model/attestations.ts';
import { readGrounds } from '#read-model/grounds.ts';
import { readActivePolicy } from '#read-model/policy.ts';
import { readPromotion } from '#read-model/promotions.ts';
import { readUpstream } from '#read-model/upstream.ts';
import { PromotionParameters } from '#use-cases/promotion/promotion-parameters.ts';
import type { Recording } from '#use-cases/audit/record-change.ts';
import { whyNoCanaryOf } from './why-no-canary.ts';
import { recordEvidence } from './record-evidence.ts';
import { contract, type Task } from '#use-cases/task.ts';

export interface Judging extends Recording {
  /** Where measurements are kept, by digest. */
  readonly documents: ArtifactStore;
  readonly deployed: DeployedModels;
}

/** What the machine's earlier states have found; what is missing makes its gates inconclusive. */
const Findings = PromotionParameters.extend({
  verification: VerificationReport.optional(),
  comparison: z
    .object({ status: z.string(), measure: Digest.optional(), reasons: z.array(z.string()).optional() })
    .optional(),
  /** The minutes of the request log before the promotion. */
  traffic: z.object({ minutes: Digest.nullable() }).optional(),
});
type Findings = z.infer<typeof Findings>;

export const JudgeGates = contract({
  input: Findings,
  output: z.discriminatedUnion('status', [
    z.object({ status: z.literal('passed') }),
    z.object({ status: z.literal('failed'), refusal: Refusal }),
  ]),
});

/** Judges the comparison with the champion, recomputed in this account: the evidence that admits. */
export function compareWithChampion(deps: Judging): Task {
  return JudgeGates.task((findings) => judge(deps, findings, (gate) => gate === 'better-than-champion'));
}

/** Judges every pinned gate that has not been judged, and says whether all of them let the release pass. */
export function evaluateGates(deps: Judging): Task {
  return JudgeGates.task((findings) =>
    judge(deps, findings, (gate) => gate !== 'better-than-champion' && phaseOf(gate) === 'before-approval'),
  );
}

async function judge(
  deps: Judging,
  findings: Findings,
  mine: (gate: GateId) => boolean,
): Promise<z.output<typeof JudgeGates.output>> {
  const promotion = await readPromotion(deps.ledger, findings);
  if (promotion.status !== 'open') return { status: 'failed', refusal: notOpen(promotion) };
  const inForce = await readActivePolicy(deps.ledger, promotion.model);
  const reasons: string[] = [];
  for (const gate of promotion.gates.filter(mine)) {
    const result = withoutProbation(promotion, await resultOf(deps, gate, promotion, inForce, findings));
    const measure =
      gate === 'canary-power' ? (findings.traffic?.minutes ?? null) : (findings.comparison?.measure ?? null);
    if ((await recordEvidence(deps, promotion, gate, result, measure)) === undefined)
      return { status: 'failed', refusal: notOpen(await readPromotion(deps.ledger, findings)) };
    if (result.verdict !== 'PASS' && result.verdict !== 'NOT_APPLICABLE')
      reasons.push(`${gate}: ${result.verdict}: ${result.reasons.join('; ')}`);
  }
  return reasons.length === 0
    ? { status: 'passed' }
    : {
        status: 'failed',
        refusal: refusal(
          'gates-passed',
          reasons.join('; ').slice(0, 2000),
          'gatehouse why shows each gate, its numbers and what would change it',
        ),
      };
}

async function resultOf(
  deps: Judging,
  gate: GateId,
  promotion: Promotion,
  inForce: ActivePolicy | undefined,
  findings: Findings,
): Promise<GateResult> {
  if (inForce === undefined || inForce.policy !== promotion.policy) {
    return { verdict: 'INCONCLUSIVE', reasons: ['the policy changed since the promotion was opened'], numbers: {} };
  }
  switch (gate) {
    case 'released-upstream': {
      const { model, release, source, transition } = promotion;
      const said = await readUpstream(deps.ledger, model, release, [source, 'staging']);
      const hotfix = transition === 'hotfix' ? { skipped: said[1] } : undefined;
      return releasedUpstream(said[0], release, source, hotfix);
    }
    case 'data-validated': {
      const { model, release } = promotion;
      const [origin] = await readUpstream(deps.ledger, model, release, [ORIGIN]);
      return dataValidated(origin, release);
    }
    case 'release-integrity':
      return releaseIntegrity(findings.verification, promotion.release);
    case 'metric-baseline':
    case 'better-than-champion': {
      const digest = findings.comparison?.measure;
      if (digest === undefined)
        return {
          verdict: 'INCONCLUSIVE',
          reasons: findings.comparison?.reasons ?? ['nothing was compared'],
          numbers: {},
        };
      const measure = await readDocument(deps.documents, StoredMeasure, digest);
      return MEASURED_GATES[gate](measure, inForce.rules.comparison);
    }
    case 'canary-power':
      return canaryPossible(deps, promotion, findings);
    case 'shadow':
    case 'canary':
      return { verdict: 'INCONCLUSIVE', reasons: ['it is evaluated after the approval'], numbers: {} };
    case 'unit-tests':
    case 'code-review':
    case 'integration-tests':
    case 'load':
    case 'security-scan':
      return attested(deps, gate, promotion);
  }
}

/** Judges what is attested, of a load by the model's objective and the best release that was confirmed here. */
async function attested(deps: Judging, gate: AttestedGate, promotion: Promotion): Promise<GateResult> {
  const state = await readGrounds(deps.ledger, promotion);
  const target = { objectiveMs: null, baseline: null };
  if (gate !== 'load') return attestedVerdict(gate, state, target, deps.clock.now());
  const { online } = deployedModel(deps.deployed, promotion.model).definition;
  const earlier = confirmedReleases(state.pointer).filter(({ release }) => release !== promotion.release);
  const baseline = await bestThroughput(deps.ledger, promotion.model, earlier, state.active?.rules.attestations);
  return attestedVerdict(gate, state, { objectiveMs: online?.objectiveMs ?? null, baseline }, deps.clock.now());
}

/** Judges whether a canary of the traffic that there was can see what it has to. */
async function canaryPossible(deps: Judging, promotion: Promotion, { traffic }: Findings): Promise<GateResult> {
  const inapplicable = await whyNoCanaryOf(deps, promotion);
  if (inapplicable !== undefined) return { verdict: 'NOT_APPLICABLE', reasons: [inapplicable], numbers: {} };
  if (promotion.canary === null)
    return { verdict: 'INCONCLUSIVE', reasons: ['the policy has no canary for this transition'], numbers: {} };
  if (promotion.canaryRequest?.kind === 'shadow-only')
    return { verdict: 'NOT_APPLICABLE', reasons: ['it is to be promoted on its shadow alone'], numbers: {} };
  if (planKind(promotion) !== 'canary')
    return { verdict: 'NOT_APPLICABLE', reasons: [`${planKind(promotion)} is asked to prove nothing`], numbers: {} };
  const stored = traffic?.minutes ?? null;
  if (stored === null) return canaryPower(promotion.canary, undefined);
  const { minutes, from, until } = await readDocument(deps.documents, CanaryMinutes, stored);
  return canaryPower(promotion.canary, trafficOf(minutes, { from: new Date(from), until: new Date(until) }));
}

/** What would pass provisionally decides nothing where the policy knows no probation. */
function withoutProbation({ probationDays, replaces }: Promotion, result: GateResult): GateResult {
  if (result.provisional !== true || (probationDays !== null && replaces !== null)) return result;
  const { verdict: _verdict, provisional: _provisional, reasons, ...rest } = result;
  const why = 'it would pass provisionally, and there is no probation for it here';
  return { ...rest, verdict: 'INCONCLUSIVE', reasons: [...reasons, why] };
}

/** No repetition gives the lock back, so its loss is a value, not a fault. */
export function notOpen({ promotion, status }: Promotion): Refusal {
  return refusal('promotion-open', `${promotion} is ${status}`);
}
