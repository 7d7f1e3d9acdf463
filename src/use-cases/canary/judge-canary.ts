import { z } from 'zod';
import { Digest } from '#domain/canonical/digest.ts';
import { type CanaryJudgement, judgeCanary as judge } from '#domain/canary/judge.ts';
import { CanaryMinutes } from '#domain/canary/minutes.ts';
import type { GateResult } from '#domain/gates/gate.ts';
import { canary as canaryGate } from '#domain/gates/gates/canary.ts';
import { GatehouseError } from '#domain/error.ts';
import { deployedModel } from '#domain/model/deployed.ts';
import type { CanaryRule } from '#domain/policy/canary.ts';
import { isBeforeApproval, judgeGrounds, whyNeverCommitting } from '#domain/promotion/grounds.ts';
import type { Pointer, TrafficPlan } from '#domain/promotion/pointer.ts';
import { isOpen, type Promotion } from '#domain/promotion/promotion.ts';
import { refusal, Refusal } from '#domain/refusal/refusal.ts';
import { readDocument } from '#ports/documents.ts';
import { readGrounds } from '#read-model/grounds.ts';
import { readPromotion } from '#read-model/promotions.ts';
import { operationName, recordChange } from '#use-cases/audit/record-change.ts';
import { type Judging, notOpen } from '#use-cases/gates/judge-gates.ts';
import { recordEvidence } from '#use-cases/gates/record-evidence.ts';
import { PromotionParameters } from '#use-cases/promotion/promotion-parameters.ts';
import { contract, type Task } from '#use-cases/task.ts';
import { whyNotHealthy } from './why-not-healthy.ts';

export const JudgeCanary = contract({
  input: PromotionParameters.extend({ minutes: Digest }),
  output: z.discriminatedUnion('status', [
    z.object({ status: z.literal('continue'), found: z.string() }),
    z.object({ status: z.literal('finished'), found: z.string() }),
    z.object({ status: z.literal('refused'), refusal: Refusal }),
  ]),
});
type Judged = z.output<typeof JudgeCanary.output>;

/**
 * Judges a canary by the closed minutes of its request log. What ends it from outside ends it before its counts are looked at: the promotion has
 * ended or was rejected, its traffic or its champion is another one, or an alarm of the champion is open. None of that is the candidate's fault.
 */
export function judgeCanary(deps: Judging): Task {
  return JudgeCanary.task(async ({ minutes, ...named }): Promise<Judged> => {
    const promotion = await readPromotion(deps.ledger, named);
    if (!isOpen(promotion.status)) return { status: 'refused', refusal: notOpen(promotion) };
    const state = await readGrounds(deps.ledger, promotion);
    const { pointer } = state;
    const now = deps.clock.now();
    const plan = planOf(promotion, pointer);
    if (plan.kind === 'refused') return { status: 'refused', refusal: plan.refusal };
    const grounds = judgeGrounds(state, now, isBeforeApproval);
    if (grounds.people.kind === 'rejected') {
      const { subject, comment } = grounds.people.by;
      return {
        status: 'refused',
        refusal: refusal('approval-given', `stopped by ${subject}: ${comment}`, 'request a new promotion'),
      };
    }
    const against = whyNeverCommitting(grounds) ?? (await whyNotHealthy(deps, pointer));
    if (against !== undefined) return { status: 'refused', refusal: against };
    const document = await readMinutes(deps, promotion, plan.plan, minutes);
    const { online } = deployedModel(deps.deployed, promotion.model).definition;
    const judgement = judge(plan.rule, {
      startedAt: new Date(plan.plan.startedAt),
      now,
      closedUntil: new Date(document.until),
      hasLatencyObjective: online !== undefined,
      minutes: document.minutes,
    });
    return conclude(deps, promotion, plan.plan, judgement, minutes);
  });
}

/** The minutes of a canary. @throws GatehouseError `CANARY_MISMATCH` where they are another one's: those say nothing of its candidate */
async function readMinutes(
  deps: Judging,
  { model }: Promotion,
  { startedAt }: TrafficPlan,
  digest: Digest,
): Promise<z.output<typeof CanaryMinutes>> {
  const document = await readDocument(deps.documents, CanaryMinutes, digest);
  if (document.model === model && Date.parse(document.from) === Date.parse(startedAt)) return document;
  const found = `minutes of ${document.model} since ${document.from}, not of ${model} since ${startedAt}`;
  throw new GatehouseError('CANARY_MISMATCH', found, { minutes: digest });
}

/** The plan of a promotion's canary as the pointer says it, or why it stands no more. */
function planOf(
  promotion: Promotion,
  pointer: Pointer | undefined,
):
  | { readonly kind: 'stands'; readonly plan: TrafficPlan; readonly rule: CanaryRule }
  | { readonly kind: 'refused'; readonly refusal: Refusal } {
  const plan = pointer?.traffic.plan;
  if (pointer?.current !== promotion.replaces) {
    const found = `the pointer has moved to ${pointer?.version ?? 'nothing'}`;
    return {
      kind: 'refused',
      refusal: refusal('champion-unchanged', found, 'request a new promotion, against the new champion'),
    };
  }
  if (plan?.promotion === promotion.promotion && promotion.canary !== null)
    return { kind: 'stands', plan, rule: promotion.canary };
  const found = plan === undefined ? 'no traffic is divided' : `the traffic is divided for ${plan.promotion}`;
  return { kind: 'refused', refusal: refusal('canary-stands', found) };
}

async function conclude(
  deps: Judging,
  promotion: Promotion,
  plan: TrafficPlan,
  judgement: CanaryJudgement,
  minutes: Digest,
): Promise<Judged> {
  const { verdict, found } = judgement;
  if (plan.kind === 'blue-green') return concludeWarm(deps, promotion, plan, minutes);
  if (verdict === 'continue' || verdict === 'pause') {
    if (verdict === 'pause') await recordPause(deps, promotion, plan, judgement);
    return { status: 'continue', found };
  }
  const isTest = plan.kind === 'ab' && verdict !== 'abort';
  const judged = canaryGate(judgement);
  const result: GateResult = isTest
    ? { ...judged, verdict: 'INCONCLUSIVE', reasons: [`the A/B test is over: ${found}`] }
    : judged;
  if ((await recordEvidence(deps, promotion, 'canary', result, minutes)) === undefined)
    return { status: 'refused', refusal: notOpen(await readPromotion(deps.ledger, promotion)) };
  if (isTest) {
    const remedy = 'gatehouse promotion show has the report; request the release without --ab to promote it';
    return { status: 'refused', refusal: refusal('ab-test-promotes', `the A/B test is over: ${found}`, remedy) };
  }
  if (verdict === 'finish') return { status: 'finished', found };
  return {
    status: 'refused',
    refusal: refusal(
      'gates-passed',
      `canary: ${result.verdict}: ${found}`.slice(0, 2000),
      'gatehouse promotion show has the arms and their evidence',
    ),
  };
}

/** A blue/green release answers nothing before it is switched to: it has been loaded beside the champion for its hours, and that is all. */
async function concludeWarm(
  deps: Judging,
  promotion: Promotion,
  { startedAt }: TrafficPlan,
  minutes: Digest,
): Promise<Judged> {
  const hours = promotion.canary?.hours ?? 0;
  const found = `blue/green: loaded beside the champion since ${startedAt}`;
  if (deps.clock.now().getTime() < Date.parse(startedAt) + hours * 3_600_000) return { status: 'continue', found };
  const result: GateResult = {
    verdict: 'NOT_APPLICABLE',
    reasons: [`${found}; it is switched to at once`],
    numbers: {},
  };
  return (await recordEvidence(deps, promotion, 'canary', result, minutes)) === undefined
    ? { status: 'refused', refusal: notOpen(await readPromotion(deps.ledger, promotion)) }
    : { status: 'finished', found };
}

/** Tells people once per pause: the count of minutes moves on when it ends. */
async function recordPause(
  deps: Judging,
  { model, promotion, release }: Promotion,
  { until }: TrafficPlan,
  { minutes, found }: CanaryJudgement,
): Promise<void> {
  await recordChange(deps, {
    model,
    operation: operationName('canary-pause', promotion, String(minutes)),
    writes: [],
    event: {
      code: 'CANARY_PAUSED',
      actor: 'pipeline:gates',
      release,
      details: { promotion, found: found.slice(0, 1200), minutes, until },
    },
  });
}
