import { z } from 'zod';
import { truncated } from '#domain/audit/truncated.ts';
import { Digest } from '#domain/canonical/digest.ts';
import { type ComparisonMeasure, StoredMeasure } from '#domain/comparison/measure.ts';
import { DriftStatus, InputsStatus, ParityFound, StabilityMeasure } from '#domain/drift/drift-work.ts';
import { type DriftJudgement, judgeDrift as judge } from '#domain/drift/judge-drift.ts';
import { DRIFT_METRICS } from '#domain/drift/metrics.ts';
import { GatehouseError } from '#domain/error.ts';
import type { Item, Write } from '#domain/ledger/item.ts';
import { keys } from '#domain/ledger/keys.ts';
import { readDocument } from '#ports/documents.ts';
import type { Metrics } from '#ports/metrics.ts';
import { readEvidence } from '#read-model/grounds.ts';
import { readActivePolicy } from '#read-model/policy.ts';
import { readPromotion } from '#read-model/promotions.ts';
import { newestDisagreement } from '#read-model/runs.ts';
import { operationName, recordChange } from '#use-cases/audit/record-change.ts';
import { MeasuredComparison, whyUnmeasured } from '#use-cases/data/measure-comparison.ts';
import type { Judging } from '#use-cases/gates/judge-gates.ts';
import { MeasureAnswers } from '#use-cases/requests/measure-answers.ts';
import { answered } from '#use-cases/requests/answered.ts';
import { contract, type Task } from '#use-cases/task.ts';
import { DriftCheckPlan } from './plan-drift-check.ts';

export const JudgeDrift = contract({
  input: z.object({
    model: z.string(),
    run: z.string(),
    /** Executions of before do not say when they began to plan. */
    plan: DriftCheckPlan.pick({ release: true, epoch: true, asOf: true, stability: true, concept: true }).extend({
      startedAt: DriftCheckPlan.shape.startedAt.optional(),
    }),
    stability: z.object({ measure: Digest.nullable(), reason: z.string() }),
    measured: z.object({
      comparisons: z.array(MeasuredComparison.omit({ candidate: true })),
      /** Why what was planned could not be measured. */
      reasons: z.array(z.string()).default([]),
    }),
    parity: ParityFound,
    answers: MeasureAnswers.output,
  }),
  output: z.object({ status: DriftStatus, inputs: InputsStatus, reason: z.string() }),
});
type Parameters = z.output<typeof JudgeDrift.input>;

/** Judges what a check measured: one record says so, people are told unless all is stable, and alarms get their numbers. */
export function judgeDrift(deps: Judging & { readonly metrics: Metrics }): Task {
  return JudgeDrift.task(async (given) => {
    const { model, run, plan, parity } = given;
    const inForce = await readActivePolicy(deps.ledger, model);
    const rule = inForce?.rules.drift;
    if (inForce === undefined || rule === undefined)
      throw new GatehouseError('NO_DRIFT_RULE', `the policy in force of ${model} looks for no drift any more`, {
        model,
      });
    const { concept, asOf } = plan;
    const live = given.measured.comparisons.find(({ slice }) => slice === 'live')?.measure ?? null;
    const { measure, reason } = given.stability;
    const stability = measure === null ? null : await readDocument(deps.documents, StabilityMeasure, measure);
    const judged = judge(
      {
        stability: { measure: stability, reason },
        concept: {
          ...concept,
          promotion: await admittingMeasure(deps, model, concept.promotion),
          live: await readMeasure(deps, live),
        },
        disagreement: await newestDisagreement(deps.ledger, model, plan.epoch),
        parity,
        asOf,
      },
      rule,
      inForce.rules.comparison,
    );
    const unmeasured = whyUnmeasured(given.measured.reasons);
    const found = unmeasured === undefined ? judged : { ...judged, concept: { ...judged.concept, reason: unmeasured } };
    const { status, inputs } = found;
    const parts = [inputs, found.concept, found.disagreement, found.parity];
    await recordChange(deps, {
      model,
      operation: operationName('drift', run),
      writes: [checkItem(deps, given, found, rule)],
      event: {
        code: 'DRIFT_CHECKED',
        actor: 'pipeline:gates',
        release: plan.release,
        details: {
          run,
          asOf,
          day: plan.stability.day,
          epoch: plan.epoch,
          policy: inForce.policy,
          status,
          inputs: inputs.status,
          concept: found.concept.status,
          disagreement: found.disagreement.status,
          parity: found.parity.status,
          worst: inputs.worst,
          limit: rule.index,
          reasons: truncated(
            parts.map((part) => part.reason),
            4,
            1200,
          ),
          measures: { stability: measure, concept: live },
        },
      },
    });
    if (inputs.worst !== null)
      deps.metrics.emit({ environment: deps.environment, model }, { [DRIFT_METRICS.index]: inputs.worst.index });
    return { status, inputs: inputs.status, reason: inputs.reason.slice(0, 500) };
  });
}

async function readMeasure(deps: Judging, digest: Digest | null): Promise<ComparisonMeasure | null> {
  return digest === null ? null : await readDocument(deps.documents, StoredMeasure, digest);
}

/** The measure by which the release was promoted, where a gate compared it. */
async function admittingMeasure(
  deps: Judging,
  model: string,
  promotion: string | null,
): Promise<ComparisonMeasure | null> {
  if (promotion === null) return null;
  const evidence = await readEvidence(deps.ledger, await readPromotion(deps.ledger, { model, promotion }));
  return readMeasure(deps, evidence.get('better-than-champion')?.measure ?? null);
}

/** The check among the runs: what `status --drift` shows. */
function checkItem(
  deps: Judging,
  { model, run, plan, parity, answers }: Parameters,
  found: DriftJudgement,
  rule: { readonly index: number; readonly disagreement: number },
): Write {
  const now = deps.clock.now().toISOString();
  const drift = {
    day: plan.stability.day,
    limits: { index: rule.index, disagreement: rule.disagreement },
    ...found,
    parity: { ...found.parity, ...parity },
  };
  const item: Item = {
    ...keys.run(model, run),
    model,
    run,
    machine: 'drift',
    status: found.status,
    release: plan.release,
    epoch: plan.epoch,
    asOf: plan.asOf,
    startedAt: plan.startedAt ?? now,
    endedAt: now,
    answers: answered(answers),
    // Through JSON, so that it is what a ledger holds.
    drift: JSON.parse(JSON.stringify(drift)),
  };
  return { kind: 'put', item };
}
