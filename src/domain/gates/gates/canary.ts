import type { CanaryJudgement, CanaryVerdict } from '../../canary/judge.ts';
import type { GateRemedy, GateResult, Verdict } from '../gate.ts';

/** What would turn its verdict. */
export const canaryRemedy: GateRemedy = (verdict) =>
  verdict === 'FAIL'
    ? 'train a new candidate: this one is quarantined'
    : 'request it again, with more time: gatehouse promote REL --to prod --canary-hours N';

const VERDICTS: Readonly<Record<CanaryVerdict, Verdict>> = {
  finish: 'PASS',
  abort: 'FAIL',
  inconclusive: 'INCONCLUSIVE',
  pause: 'INCONCLUSIVE',
  continue: 'INCONCLUSIVE',
};

/** Does the candidate answer its part of the traffic without a regression? */
export function canary({ verdict, found, minutes, counts, eValues }: CanaryJudgement): GateResult {
  const { errors, latency, regression, notBad, limit } = eValues;
  const { candidate, control, champion } = counts;
  return {
    verdict: VERDICTS[verdict],
    reasons: [found],
    numbers: {
      minutes,
      requests: candidate.requests,
      errors: candidate.errors,
      slow: candidate.slow,
      late: candidate.late,
      controlRequests: control.requests,
      controlErrors: control.errors,
      controlSlow: control.slow,
      controlLate: control.late,
      championRequests: champion.requests,
      championErrors: champion.errors,
      errorsEvidence: errors,
      ...(latency === null ? {} : { latencyEvidence: latency }),
      regression,
      notBad,
      limit,
    },
  };
}
