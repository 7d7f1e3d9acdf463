import { type CanaryCounts, settledBy } from './counts.ts';
import { comparisonProcess, logMean, logNotBadAtAll, toleratedProcess } from './e-process.ts';

/** From this e-value on the control arm is taken to fail more than the champion does: by chance that ever happens in at most one of ten canaries. */
const ARMS_DIFFER_AT = 10;

/** Logarithms of the e-values of a canary. */
export interface LogEValues {
  /** Against "its error rate is no higher". */
  readonly errors: number;
  /** Against "no more of its answers are above the latency objective"; undefined where there is none. */
  readonly latency: number | undefined;
  /** Of the mean of both: a regression is found where it reaches `LOG_REJECTS_AT`. */
  readonly regression: number;
  /** Against "bad": the candidate can finish where it reaches `LOG_REJECTS_AT`. */
  readonly notBad: number;
}

/** Evidence about a canary, minute by minute and never reset. */
export interface CanaryEvidence {
  add(counts: CanaryCounts): void;
  logEValues(): LogEValues;
}

/**
 * Accumulates the evidence about a canary. Errors are compared with all requests that the champion's digest answers, because a control arm of the
 * candidate's size would need twice the traffic; where the control arm itself fails more than the champion, the arms' functions are why, and the
 * control arm has to confirm what is found. The smaller of two e-values is an e-value. What an arm was late for is no evidence about its errors, and
 * none that it is not bad: the champion answered it. Latency is compared with the control arm only, whose processes are as new as the candidate's.
 */
export function canaryEvidence(options: {
  readonly toleratedErrorRate: number;
  readonly hasLatencyObjective: boolean;
}): CanaryEvidence {
  const [all, confirming, arms, latency] = [
    comparisonProcess(),
    comparisonProcess(),
    comparisonProcess(),
    comparisonProcess(),
  ];
  const tolerated = toleratedProcess(options.toleratedErrorRate);
  let doArmsDiffer = false;
  return {
    add({ candidate, control, champion }) {
      const [own, ofControl, ofChampion] = [settledBy(candidate), settledBy(control), settledBy(champion)];
      all.add(own, candidate.errors, ofControl + ofChampion, control.errors + champion.errors);
      confirming.add(own, candidate.errors, ofControl, control.errors);
      arms.add(ofControl, control.errors, ofChampion, champion.errors);
      doArmsDiffer ||= arms.logRegression() >= Math.log(ARMS_DIFFER_AT);
      tolerated.add(own, candidate.errors);
      if (options.hasLatencyObjective) latency.add(candidate.requests, candidate.slow, control.requests, control.slow);
    },
    logEValues() {
      const errors = doArmsDiffer ? Math.min(all.logRegression(), confirming.logRegression()) : all.logRegression();
      const slow = options.hasLatencyObjective ? latency.logRegression() : undefined;
      const alone = logNotBadAtAll(tolerated, all.logNotBad());
      return {
        errors,
        latency: slow,
        regression: logMean(slow === undefined ? [errors] : [errors, slow]),
        notBad: doArmsDiffer ? Math.min(alone, logNotBadAtAll(tolerated, confirming.logNotBad())) : alone,
      };
    },
  };
}
