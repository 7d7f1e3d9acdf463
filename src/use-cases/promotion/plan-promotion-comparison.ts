import { type ComparisonPlanning, planComparison } from '#use-cases/data/plan-comparison.ts';
import { type Task, task } from '#use-cases/task.ts';
import { PromotionParameters, readPromotion } from './ledger-state.ts';

/** Plans the comparison that admits: of the release with this environment's own champion, on this account's own lake. */
export function planPromotionComparison(deps: ComparisonPlanning): Task {
  return task(PromotionParameters, async (named) => {
    const promotion = await readPromotion(deps.ledger, named);
    const { model, asOf, release, replaces } = promotion;
    if (replaces === null) {
      return {
        status: 'no-champion',
        reasons: ['there is no champion yet'],
        dailyBatches: [],
        featureBatches: [],
        scoreBatches: [],
        comparisons: [],
      };
    }
    return planComparison(deps, { model, asOf, champion: replaces, candidates: [release], slices: ['test'] });
  });
}
