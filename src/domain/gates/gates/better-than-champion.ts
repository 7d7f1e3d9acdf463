import type { ComparisonMeasure } from '../../data/comparison-measure.ts';
import type { ComparisonRule } from '../../policy/policy.ts';
import { comparePaired } from '../../statistics/paired-comparison.ts';
import type { GateResult } from '../gate.ts';
import { whyInvalid } from '../measure-validity.ts';

/** Whether a gain is likely enough to be tried on probation: large enough at its point, and hardly a loss at its worst. */
function likely(
  { improvement, lowerBound }: { readonly improvement: number; readonly lowerBound: number },
  rule: NonNullable<ComparisonRule['provisional']>,
): boolean {
  return improvement >= rule.minimumImprovement && lowerBound > -rule.tolerance;
}

const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;

/** Is the candidate better than what is in production, on the same rows, beyond doubt and by enough to matter? */
export function betterThanChampion(measure: ComparisonMeasure, rule: ComparisonRule): GateResult {
  const invalid = whyInvalid(measure);
  if (invalid.length > 0) return { verdict: 'FAIL', reasons: invalid, numbers: {} };
  const clusters = measure.clusters.map((cluster) => ({
    rows: cluster.rows,
    champion: cluster.champion.logLoss,
    candidate: cluster.candidate.logLoss,
  }));
  const comparison = comparePaired(clusters, rule.confidence);
  if (comparison === undefined || comparison.clusters < rule.minimumDays || comparison.rows < rule.minimumRows) {
    const found = `${measure.clusters.length} days and ${measure.comparedRows} rows`;
    return {
      verdict: 'INCONCLUSIVE',
      reasons: [`${found} are fewer than ${rule.minimumDays} days and ${rule.minimumRows} rows`],
      numbers: {},
    };
  }
  const numbers = {
    improvement: comparison.improvement,
    lowerBound: comparison.lowerBound,
    standardError: comparison.standardError,
    championLogLoss: comparison.championLoss,
    candidateLogLoss: comparison.candidateLoss,
    days: comparison.clusters,
    rows: comparison.rows,
  };
  if (Object.values(numbers).some((value) => !Number.isFinite(value))) {
    return { verdict: 'INCONCLUSIVE', reasons: ['the comparison is not a number'], numbers: {} };
  }
  if (measure.greatestDifference === 0)
    return { verdict: 'FAIL', reasons: ['the predictions are the same as the champion’s'], numbers };
  const reason = `log loss ${comparison.candidateLoss.toFixed(4)} against the champion's ${comparison.championLoss.toFixed(4)}: ${percent(
    comparison.improvement,
  )}, lower bound ${percent(comparison.lowerBound)}; needed: at least ${percent(rule.minimumImprovement)} with a lower bound above 0`;
  if (comparison.improvement >= rule.minimumImprovement && comparison.lowerBound > 0)
    return { verdict: 'PASS', reasons: [reason], numbers };
  const { provisional } = rule;
  if (provisional !== undefined && likely(comparison, provisional)) {
    const why = `provisionally: at least ${percent(provisional.minimumImprovement)} with a lower bound above ${percent(-provisional.tolerance)}`;
    return { verdict: 'PASS', provisional: true, reasons: [reason, why], numbers };
  }
  // Not proven is not the same as proven worse: where the interval holds the needed gain, more days may decide.
  const upperBound = 2 * comparison.improvement - comparison.lowerBound;
  return { verdict: upperBound >= rule.minimumImprovement ? 'INCONCLUSIVE' : 'FAIL', reasons: [reason], numbers };
}
