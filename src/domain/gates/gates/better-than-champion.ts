import type { ComparisonMeasure } from '../../comparison/measure.ts';
import type { ComparisonRule } from '../../policy/policy.ts';
import { judgeComparison } from '../../comparison/judge.ts';
import type { ComparisonJudgement } from '../../comparison/judgement.ts';
import type { GateRemedy, GateResult } from '../gate.ts';

/** What would turn its verdict. */
export const betterThanChampionRemedy: GateRemedy = (verdict) =>
  verdict === 'INCONCLUSIVE'
    ? 'more matured days of data, or a larger difference'
    : 'a candidate that beats the champion by the margin';

/** Is the candidate better than what is in production, on the same rows, beyond doubt and by enough to matter? */
export function betterThanChampion(measure: ComparisonMeasure, rule: ComparisonRule): GateResult {
  const judgement = judgeComparison(measure, rule);
  const numbers = numbersOf(judgement);
  const reasons = [`${judgement.rule}: ${judgement.reason}`];
  switch (judgement.verdict) {
    case 'PROMOTE':
      return { verdict: 'PASS', reasons, numbers };
    case 'PROMOTE_PROVISIONALLY':
      return { verdict: 'PASS', provisional: true, reasons, numbers };
    case 'INCONCLUSIVE':
      return { verdict: 'INCONCLUSIVE', reasons: [...reasons, `to change it: ${judgement.change}`], numbers };
    case 'REJECT':
    case 'INVALID':
      return { verdict: 'FAIL', reasons: [...reasons, `to change it: ${judgement.change}`], numbers };
  }
}

/** The figures that a person wants to see beside the verdict; what could not be computed is left out. */
function numbersOf({ figures, clusters, rows }: ComparisonJudgement): Record<string, number> {
  if (figures === null) return {};
  const { point, interval, standardError, bootstrap, champion, candidate, brier, aucDifference } = figures;
  const numbers = {
    improvement: point,
    lowerBound: interval[0],
    upperBound: interval[1],
    standardError,
    bootstrapLowerBound: bootstrap?.interval[0],
    bootstrapUpperBound: bootstrap?.interval[1],
    championLogLoss: champion.logLoss,
    candidateLogLoss: candidate.logLoss,
    brierImprovement: brier?.point,
    candidateCalibration: candidate.calibration.point ?? undefined,
    candidateAveragePrecision: candidate.averagePrecision ?? undefined,
    aucDifference: aucDifference?.point,
    days: clusters,
    rows,
  };
  return Object.fromEntries(
    Object.entries(numbers).filter((entry): entry is [string, number] => Number.isFinite(entry[1])),
  );
}
