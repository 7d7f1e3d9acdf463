import type { CanaryRule } from '../policy/canary.ts';
import { type CanaryCounts, plus } from './counts.ts';
import { comparisonProcess, LOG_REJECTS_AT, logNotBadAtAll, toleratedProcess } from './e-process.ts';
import { canaryEvidence } from './evidence.ts';
import { type CanaryJudgement, closedMinutes, countsIn, shown } from './judge.ts';

/** A minute of a canary: what its arms answered in it, and the evidence at its end. */
export interface CanaryPoint {
  /** The end of the minute. */
  readonly at: string;
  readonly counts: CanaryCounts;
  readonly eValues: CanaryJudgement['eValues'];
}

const MINUTE_MS = 60_000;

/**
 * The evidence about a canary at the end of each of its minutes, in one pass over them.
 * @param state.until the end of the last minute that counts, as a judgement says it in `decidedAt`
 */
export function canarySeries(
  rule: Pick<CanaryRule, 'toleratedErrorRate'>,
  state: {
    readonly startedAt: Date;
    readonly until: Date;
    readonly hasLatencyObjective: boolean;
    readonly minutes: readonly unknown[];
  },
): readonly CanaryPoint[] {
  const { minutes } = closedMinutes(state.minutes, state.startedAt.getTime(), state.until.getTime());
  const { toleratedErrorRate } = rule;
  const evidence = canaryEvidence({ toleratedErrorRate, hasLatencyObjective: state.hasLatencyObjective });
  return minutes.map(({ at, minute }) => {
    const counts = countsIn(minute);
    evidence.add(counts);
    return { at: new Date(at + MINUTE_MS).toISOString(), counts, eValues: shown(evidence.logEValues()) };
  });
}

/** Twice as many requests as there were are tried so often: 1,000 times as many lead nowhere. */
const DOUBLINGS = 10;
/** Halvings by which the factor is found, to a thousandth. */
const HALVINGS = 20;

/**
 * About how many requests the candidate still has to answer until it is proven not to be bad, if all arms go on failing as often as so far: the
 * logarithms of evidence grow in proportion to the requests. Null where that leads nowhere, or nothing was answered yet.
 */
export function requestsToProof(
  { toleratedErrorRate }: Pick<CanaryRule, 'toleratedErrorRate'>,
  { candidate, control, champion }: CanaryCounts,
): number | null {
  const others = plus(control, champion);
  if (candidate.requests === 0 || others.requests === 0) return null;
  const tolerated = toleratedProcess(toleratedErrorRate);
  tolerated.add(candidate.requests, candidate.errors);
  const compared = comparisonProcess();
  compared.add(candidate.requests, candidate.errors, others.requests, others.errors);
  const [below, notBad] = [tolerated.logBelow(), compared.logNotBad()];
  const isProven = (times: number): boolean =>
    logNotBadAtAll(
      { logBelow: () => below.map((log) => log * times) },
      notBad.map((log) => log * times),
    ) >= LOG_REJECTS_AT;
  if (isProven(1)) return 0;
  let most = 1;
  for (let doubling = 0; doubling < DOUBLINGS && !isProven(most); doubling += 1) most *= 2;
  if (!isProven(most)) return null;
  let least = most / 2;
  for (let halving = 0; halving < HALVINGS; halving += 1) {
    const middle = (least + most) / 2;
    if (isProven(middle)) most = middle;
    else least = middle;
  }
  return Math.ceil(candidate.requests * (most - 1));
}
