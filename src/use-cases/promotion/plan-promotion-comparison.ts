import { readActivePolicy } from '#read-model/policy.ts';
import { readPromotion } from '#read-model/promotions.ts';
import { PromotionParameters } from '#use-cases/promotion/promotion-parameters.ts';
import { type ComparisonPlanning, planComparison } from '#use-cases/data/plan-comparison.ts';
import { type Task, task } from '#use-cases/task.ts';

/** Plans the comparison that admits: of the release with this environment's own champion, on this account's own lake. */
export function planPromotionComparison(deps: ComparisonPlanning): Task {
  return task(PromotionParameters, async (named) => {
    const promotion = await readPromotion(deps.ledger, named);
    const { model, asOf, release, replaces } = promotion;
    if (replaces === null) return nothing('no-champion', 'there is no champion yet');
    const inForce = await readActivePolicy(deps.ledger, model);
    if (inForce === undefined) return nothing('insufficient', 'there is no policy in force');
    const { comparison: rule } = inForce.rules;
    return planComparison(deps, { model, asOf, champion: replaces, candidates: [release], slices: ['test'], rule });
  });
}

/** Nothing is compared: the same shape, so that the machine's states find what they read. */
function nothing(status: string, reason: string) {
  return { status, reasons: [reason], dailyBatches: [], featureBatches: [], scoreBatches: [], comparisons: [] };
}
