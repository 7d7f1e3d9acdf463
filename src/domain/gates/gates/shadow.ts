import type { ShadowJudgement } from '../../canary/shadow.ts';
import type { GateRemedy, GateResult, Verdict } from '../gate.ts';

/** What would turn its verdict. */
export const shadowRemedy: GateRemedy = (verdict) =>
  verdict === 'FAIL'
    ? 'train a new candidate: this one is worse on the same requests'
    : 'wait until the endpoint has answered more requests whose events are kept, and request it again';

const VERDICTS: Readonly<Record<ShadowJudgement['verdict'], Verdict>> = {
  finish: 'PASS',
  abort: 'FAIL',
  inconclusive: 'INCONCLUSIVE',
  continue: 'INCONCLUSIVE',
};

/** Does the candidate answer the stored requests as well as the champion? */
export function shadow({ verdict, found, pairs, eValues }: Omit<ShadowJudgement, 'counts'>): GateResult {
  const { errors, decisions, latency, notBad, limit } = eValues;
  return {
    verdict: VERDICTS[verdict],
    reasons: [found],
    numbers: {
      pairs,
      errors,
      ...(decisions === null ? {} : { decisions }),
      ...(latency === null ? {} : { latency }),
      notBad,
      limit,
    },
  };
}
