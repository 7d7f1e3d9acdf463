import type { ComparisonMeasure } from '../../comparison/measure.ts';
import type { ComparisonRule } from '../../policy/policy.ts';
import { baseRateLoss } from '../../statistics/paired-comparison.ts';
import { whyDegenerate, whyInvalid } from '../../comparison/validity.ts';
import type { GateRemedy, GateResult } from '../gate.ts';
import { percent } from '../../text.ts';

/** What would turn its verdict. */
export const metricBaselineRemedy: GateRemedy = () => 'a candidate with more skill: other features, more data';

/** Does the candidate know more than the base rate of the very rows that it is tested on, and does it say anything at all? */
export function metricBaseline(measure: ComparisonMeasure, rule: ComparisonRule): GateResult {
  const invalid = whyInvalid(measure, rule);
  if (invalid.length > 0) return { verdict: 'FAIL', reasons: invalid, numbers: {} };
  const positives = measure.clusters.reduce((sum, cluster) => sum + cluster.positives, 0);
  const loss = measure.clusters.reduce((sum, cluster) => sum + cluster.candidate.logLoss, 0) / measure.comparedRows;
  const brier = measure.clusters.reduce((sum, cluster) => sum + cluster.candidate.brier, 0) / measure.comparedRows;
  const baseline = baseRateLoss(positives, measure.comparedRows);
  const skill = 1 - loss / baseline;
  const numbers = { logLoss: loss, brier, baseRateLogLoss: baseline, skill, rows: measure.comparedRows };
  if (Object.values(numbers).some((value) => !Number.isFinite(value))) {
    return { verdict: 'INCONCLUSIVE', reasons: ['a metric is not a number'], numbers: {} };
  }
  const degenerate = whyDegenerate(measure.candidate, positives, measure.comparedRows);
  if (degenerate !== undefined) return { verdict: 'FAIL', reasons: [degenerate], numbers };
  const reason = `log loss ${loss.toFixed(4)} is ${percent(skill)} below the base rate's ${baseline.toFixed(4)}; needed: ${percent(rule.minimumSkill)}`;
  return { verdict: skill >= rule.minimumSkill ? 'PASS' : 'FAIL', reasons: [reason], numbers };
}
