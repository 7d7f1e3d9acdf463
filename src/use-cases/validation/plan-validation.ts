import { z } from 'zod';
import { Digest } from '#domain/canonical/digest.ts';
import { type DeployedModels, deployedModel } from '#domain/model/deployed.ts';
import { GatehouseError } from '#domain/error.ts';
import { Day } from '#domain/model/definition.ts';
import type { Clock } from '#ports/clock.ts';
import { findRun } from '#read-model/runs.ts';
import { logicalDay } from '#use-cases/as-of.ts';
import { type ComparisonPlanning, planComparison, PlannedComparison } from '#use-cases/data/plan-comparison.ts';
import { contract, type Task } from '#use-cases/task.ts';

const [Planned, Insufficient] = PlannedComparison.options;

export const PlanValidation = contract({
  input: z.object({
    model: z.string(),
    run: z.string(),
    /** The run's own, at which everything was pinned. */
    asOf: Day,
    candidates: z.array(z.object({ release: Digest, version: z.string() })).min(1),
  }),
  output: z.discriminatedUnion('status', [
    Planned.extend({ champion: Digest }),
    Insufficient.extend({ champion: Digest }),
  ]),
});

interface ValidationPlanning extends ComparisonPlanning {
  /** The release that a model's candidates have to beat. */
  readonly champion: (model: string) => Promise<Digest>;
  readonly clock: Clock;
  /** Whose policies say what dev offers; what admits is the policy that is in force where the release goes. */
  readonly deployed: DeployedModels;
}

/** Plans the comparison of a run's candidates with the champion: chosen on the selection days, tested on the test days. */
export function planValidation(deps: ValidationPlanning): Task {
  return PlanValidation.task(async ({ model, run, asOf: given, candidates }) => {
    const asOf = logicalDay(given, deps.clock);
    // The day is the run's, at which everything was pinned: whoever starts this by hand chooses no luckier one.
    const opened = await findRun(deps.ledger, model, run);
    if (opened?.asOf !== asOf)
      throw new GatehouseError('RUN_MISMATCH', `there is no run ${run} of ${model} as of ${asOf}`, { model, run });
    const champion = await deps.champion(model);
    const { comparison: rule, costs } = deployedModel(deps.deployed, model).policy;
    const releases = candidates.map(({ release }) => release);
    return {
      champion,
      ...(await planComparison(deps, {
        model,
        asOf,
        champion,
        candidates: releases,
        slices: ['selection', 'test'],
        rule,
        costs,
      })),
    };
  });
}
