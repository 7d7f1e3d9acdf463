import { z } from 'zod';
import { readActivePolicy } from '#read-model/policy.ts';
import { readPromotion } from '#read-model/promotions.ts';
import { PromotionParameters } from '#use-cases/promotion/promotion-parameters.ts';
import {
  type ComparisonPlanning,
  NothingPlanned,
  nothingPlanned,
  planComparison,
  PlannedComparison,
} from '#use-cases/data/plan-comparison.ts';
import { contract, type Task } from '#use-cases/task.ts';

export const PlanPromotionComparison = contract({
  input: PromotionParameters,
  output: z.discriminatedUnion('status', [
    ...PlannedComparison.options,
    NothingPlanned.extend({ status: z.literal('no-champion') }),
  ]),
});

/** Plans the comparison that admits: of the release with this environment's own champion, on this account's own lake. */
export function planPromotionComparison(deps: ComparisonPlanning): Task {
  return PlanPromotionComparison.task(async (named) => {
    const promotion = await readPromotion(deps.ledger, named);
    const { model, asOf, release, replaces } = promotion;
    if (replaces === null) return { status: 'no-champion', ...nothingPlanned(['there is no champion yet']) };
    const inForce = await readActivePolicy(deps.ledger, model);
    if (inForce === undefined) return { status: 'insufficient', ...nothingPlanned(['there is no policy in force']) };
    const { comparison: rule } = inForce.rules;
    return planComparison(deps, { model, asOf, champion: replaces, candidates: [release], slices: ['test'], rule });
  });
}
