import { z } from 'zod';
import { Digest } from '#domain/canonical/digest.ts';
import { type ComparisonMeasure, StoredMeasure } from '#domain/comparison/measure.ts';
import { equals, type Item, type Write } from '#domain/ledger/item.ts';
import { keys } from '#domain/ledger/keys.ts';
import { meanDisagreement } from '#domain/comparison/disagreement.ts';
import { seenLine, SeenText } from '#domain/text.ts';
import { judgeLive, type LiveJudgement, UNGOVERNED } from '#domain/comparison/live-judgement.ts';
import { readDocument } from '#ports/documents.ts';
import type { Ledger } from '#ports/ledger.ts';
import { type ActivePolicy, stillInForce } from '#domain/policy/activation.ts';
import { readEvidence } from '#read-model/grounds.ts';
import { readActivePolicy } from '#read-model/policy.ts';
import { readPromotion } from '#read-model/promotions.ts';
import { operationName, recordChange } from '#use-cases/audit/record-change.ts';
import { writeUnaudited } from '#use-cases/audit/write-unaudited.ts';
import { MeasuredComparison, whyUnmeasured } from '#use-cases/data/measure-comparison.ts';
import type { Judging } from '#use-cases/gates/judge-gates.ts';
import { whyAnswersWorse } from '#domain/prediction/answers.ts';
import { answered } from '#use-cases/requests/answered.ts';
import { MeasureAnswers } from '#use-cases/requests/measure-answers.ts';
import { contract, type Said, type Task } from '#use-cases/task.ts';
import { ReviewPlan } from './plan-review.ts';
import { recordedVerdict, verdictOperation } from './recorded-verdict.ts';

const Plan = ReviewPlan.pick({
  release: true,
  shadow: true,
  promotion: true,
  epoch: true,
  asOf: true,
  days: true,
  isProvisional: true,
});

export const JudgeRelease = contract({
  input: z.object({
    model: z.string(),
    run: z.string(),
    /** Executions of before do not say when they began to plan. */
    plan: Plan.extend({ startedAt: ReviewPlan.shape.startedAt.optional() }),
    measured: z.object({
      comparisons: z.array(MeasuredComparison.omit({ candidate: true })),
      /** Why what was planned could not be measured. */
      reasons: z.array(z.string()).default([]),
    }),
    answers: MeasureAnswers.output,
  }),
  output: z.object({
    /** The name of the confirmation, or of the rollback, that follows. */
    id: z.string().min(1),
    status: z.enum(['confirm', 'roll-back', 'wait']),
    reason: SeenText.min(1).max(500),
    /** The measure that the verdict rests on; null where nothing was measured. */
    evidence: Digest.nullable(),
  }),
});
type Parameters = z.output<typeof JudgeRelease.input>;

/** What the machine does by a verdict. */
const NEXT = { CONFIRM: 'confirm', ROLL_BACK: 'roll-back', WAIT: 'wait' } as const;

/**
 * Judges the release that is served by what was measured. There is one verdict for an epoch: whoever comes to it again,
 * late or at the same time, acts on the one that was recorded. While there is none, the numbers are kept and nobody is told.
 */
export function judgeRelease(deps: Judging): Task {
  return JudgeRelease.task(async (given) => {
    const { model, plan } = given;
    const act = { id: `${model}-probation-${plan.epoch}` };
    const operation = verdictOperation(model, plan.epoch);
    const standing = await standingVerdict(deps.ledger, model, plan.epoch);
    if (standing !== undefined) return { ...act, ...standing };
    const found = await judge(deps, given);
    const { verdict, reason } = found.judgement;
    const evidence = found.measures.slow ?? found.measures.fast;
    const review = reviewItem(deps, given, found);
    if (verdict === 'WAIT') {
      await writeUnaudited(deps.ledger, [review], operationName('r', given.run, deps.clock.now().toISOString()));
      return { ...act, status: NEXT.WAIT, reason: shortened(reason), evidence };
    }
    const { epoch, release: current } = plan;
    const served: Write = { kind: 'check', key: keys.pointer(model), condition: equals({ epoch, current }) };
    const event = eventOf(given, found, verdict);
    // A verdict is recorded under the policy that it was reached by, or not at all.
    const governed = found.inForce === undefined ? [] : [stillInForce(model, found.inForce)];
    const result = await recordChange(deps, { model, operation, writes: [served, ...governed, review], event });
    // It is served no more, or another review was quicker: then that one's verdict stands.
    const other = result.kind === 'recorded' ? undefined : await standingVerdict(deps.ledger, model, plan.epoch);
    if (result.kind === 'refused' && other === undefined)
      return { ...act, status: NEXT.WAIT, reason: 'the pointer or the policy moved', evidence };
    return { ...act, ...(other ?? { status: NEXT[verdict], reason: shortened(reason), evidence }) };
  });
}

/** A recorded verdict, as the machine goes on with it. */
async function standingVerdict(
  ledger: Ledger,
  model: string,
  epoch: number,
): Promise<Said<Omit<z.output<typeof JudgeRelease.output>, 'id'>> | undefined> {
  const found = await recordedVerdict(ledger, model, epoch);
  return found && { status: NEXT[found.verdict], reason: shortened(found.reason), evidence: found.evidence };
}

interface Found {
  readonly judgement: LiveJudgement;
  readonly policy: Digest;
  readonly inForce: ActivePolicy | undefined;
  /** The measurements that the two rules judged, as objects by digest. */
  readonly measures: { readonly fast: Digest | null; readonly slow: Digest | null };
  /** How far it and its shadow are apart: on the holdout that promoted it, and on each day that it served. */
  readonly disagreement: { readonly holdout: number | null; readonly days: readonly { day: string; mean: number }[] };
}

async function judge(deps: Judging, { model, plan, measured, answers }: Parameters): Promise<Found> {
  const promotion = await readPromotion(deps.ledger, { model, promotion: plan.promotion });
  const inForce = await readActivePolicy(deps.ledger, model);
  const probation = inForce?.rules.transitions[promotion.transition]?.probation;
  const digestOf = (slice: string): Digest | null =>
    measured.comparisons.find((comparison) => comparison.slice === slice)?.measure ?? null;
  const measures = { fast: digestOf('fast'), slow: digestOf('slow') };
  const fast = await readMeasure(deps, measures.fast);
  const slow = await readMeasure(deps, measures.slow);
  const { days, isProvisional } = plan;
  const admitting = (await readEvidence(deps.ledger, promotion)).get('better-than-champion')?.measure ?? null;
  const holdout = meanDisagreement((await readMeasure(deps, admitting))?.disagreement ?? []) ?? null;
  const judged =
    inForce === undefined || probation === undefined
      ? UNGOVERNED
      : heldBack(
          judgeLive({ fast, slow, days, isProvisional }, inForce.rules.comparison, probation),
          answers.reason === ''
            ? whyAnswersWorse(answers.days, plan.release, probation)
            : `answers on request are not measured: ${answers.reason}`,
        );
  const unmeasured = whyUnmeasured(measured.reasons);
  return {
    judgement: unmeasured === undefined || judged.verdict !== 'WAIT' ? judged : { ...judged, reason: unmeasured },
    policy: inForce?.policy ?? promotion.policy,
    inForce,
    measures,
    disagreement: {
      holdout,
      days: (slow?.disagreement ?? []).map((each) => ({ day: each.cluster, mean: each.logits / each.rows })),
    },
  };
}

/** What would be confirmed waits while its answers on request are worse than what it published, or not measured: somebody has to look why. */
function heldBack(judgement: LiveJudgement, worse: string | undefined): LiveJudgement {
  if (worse === undefined || judgement.verdict !== 'CONFIRM') return judgement;
  const change = 'answers as good as the published predictions: see gatehouse endpoint replay';
  return { ...judgement, verdict: 'WAIT', reason: worse, change };
}

async function readMeasure(deps: Judging, digest: Digest | null): Promise<ComparisonMeasure | null> {
  if (digest === null) return null;
  return await readDocument(deps.documents, StoredMeasure, digest);
}

/** What was found, small enough for a record: each number can be had again from the measures. */
function eventOf({ run, plan }: Parameters, found: Found, verdict: 'CONFIRM' | 'ROLL_BACK') {
  const { judgement, policy, measures } = found;
  const { rule, reason, maturity, fast, slow } = judgement;
  const { asOf, days, epoch, shadow, promotion } = plan;
  const figures = rule === 'fast' ? fast : (slow?.figures ?? null);
  return {
    code: 'RELEASE_JUDGED',
    actor: 'pipeline:gates',
    release: plan.release,
    details: {
      run,
      promotion,
      shadow,
      epoch,
      asOf,
      days,
      policy,
      verdict,
      rule,
      reason: shortened(reason),
      maturity,
      ...(figures === null ? {} : { point: figures.point, interval: [...figures.interval] }),
      measures,
    },
  } as const;
}

/** The review among the runs: what `status` shows, whatever came of it. */
function reviewItem(deps: Judging, { model, run, plan, answers }: Parameters, found: Found): Write {
  const { verdict, rule, reason, change, maturity, fast, slow } = found.judgement;
  const now = deps.clock.now().toISOString();
  const item: Item = {
    ...keys.run(model, run),
    model,
    run,
    machine: 'probation',
    status: NEXT[verdict],
    release: plan.release,
    epoch: plan.epoch,
    asOf: plan.asOf,
    startedAt: plan.startedAt ?? now,
    endedAt: now,
    answers: answered(answers),
    review: {
      rule,
      reason,
      change,
      maturity: { ...maturity },
      fast: fast === null ? null : { ...fast, interval: [...fast.interval] },
      slow: slow?.figures ? { point: slow.figures.point, interval: [...slow.figures.interval] } : null,
      disagreement: { holdout: found.disagreement.holdout, days: [...found.disagreement.days] },
    },
  };
  return { kind: 'put', item };
}

/** A reason as a pointer's act carries one: values of the data may stand in it, and must not keep the act from being done. */
function shortened(reason: string): string {
  const line = seenLine(reason);
  return line.length <= 500 ? line : `${line.slice(0, 497)}...`;
}
