import { MOST_HOURS } from '../policy/canary.ts';
import { mulberry32 } from '../statistics/bootstrap.ts';
import { drawBinomial } from '../statistics/draws.ts';
import { BAD_ODDS, comparisonProcess, LOG_REJECTS_AT, logNotBadAtAll, toleratedProcess } from './e-process.ts';

/** What a canary is expected to see, and by which rule. */
export interface CanaryPlan {
  /** Requests of the endpoint in a second, by all arms. */
  readonly requestsPerSecond: number;
  /** The candidate's share of them, and the control arm's. */
  readonly share: number;
  /** Hours with that traffic. */
  readonly hours: number;
  /** The champion's error rate. */
  readonly errorRate: number;
  /** The error rate that has to be found; without it the smallest that is bad. */
  readonly badRate?: number;
  readonly toleratedErrorRate: number;
  /** The probability with which it has to be found. */
  readonly power: number;
}

/** What comes of canaries whose candidate has a certain error rate. */
export interface CanaryOutcomes {
  readonly candidateRate: number;
  readonly runs: number;
  /** Shares of the runs. */
  readonly aborted: number;
  readonly finished: number;
  readonly inconclusive: number;
  /** Of the runs that were aborted, the median; null without any. */
  readonly hoursToAbort: number | null;
  /** Of all runs in which it was proven that the rate is not bad, the median; null without any. The canary finishes after its hours only. */
  readonly hoursToProof: number | null;
}

/** Whether the traffic suffices, and what else would. */
export interface CanaryPower {
  readonly plan: CanaryPlan;
  readonly badRate: number;
  readonly expectedRequests: { readonly candidate: number; readonly all: number };
  readonly healthy: CanaryOutcomes;
  readonly bad: CanaryOutcomes;
  /** Whether the bad rate is found often enough: else the canary does not start. */
  readonly canStart: boolean;
  /** Changes of one value, or of both, that would find it often enough: the smallest of each kind that were tried. */
  readonly helps: readonly { readonly share: number; readonly hours: number; readonly power: number }[];
}

/** Runs by which a plan is judged: a power of 90 % is known to 1.5 points then, one standard error. */
export const RUNS = 400;
export const SEED = 19;
/** Looks in a canary: each minute of a short one; a long one is looked at less often here than by its judge, which finds things no later. */
const LOOKS = 240;
/** More requests than this are simulated as so many: more only find more, and sooner than is said. */
const MOST_REQUESTS = 10_000_000;
const LONGER = [2, 4, 7, 14] as const;
const LARGER = [0.2, 0.3, 0.4, 0.5] as const;

/** The smallest rate of errors that is bad: at least the tolerated one, and twice the odds of the champion's. */
export function badRateOf({
  errorRate,
  toleratedErrorRate,
}: Pick<CanaryPlan, 'errorRate' | 'toleratedErrorRate'>): number {
  const doubled = (BAD_ODDS * errorRate) / (1 + (BAD_ODDS - 1) * errorRate);
  return Math.max(doubled, toleratedErrorRate);
}

/**
 * Whether a canary of this traffic can see a bad rate in its time, by Monte Carlo over the same e-processes as the judge's. The answers above a
 * latency objective are taken to be no reason, so that the errors alone have to find it, with half of the weight.
 * @param seed the same for the same numbers
 */
export function planCanary(plan: CanaryPlan, runs = RUNS, seed = SEED): CanaryPower {
  const badRate = plan.badRate ?? badRateOf(plan);
  const requests = plan.requestsPerSecond * 3600 * plan.hours;
  const bad = simulateCanary(plan, badRate, runs, seed);
  const canStart = bad.aborted >= plan.power;
  return {
    plan,
    badRate,
    expectedRequests: { candidate: Math.round(requests * plan.share), all: Math.round(requests) },
    healthy: simulateCanary(plan, plan.errorRate, runs, seed),
    bad,
    canStart,
    helps: canStart ? [] : whatHelps(plan, badRate, runs, seed),
  };
}

function whatHelps(plan: CanaryPlan, badRate: number, runs: number, seed: number): CanaryPower['helps'] {
  const hours = LONGER.map((factor) => plan.hours * factor).filter((each) => each <= MOST_HOURS);
  const shares = LARGER.filter((share) => share > plan.share);
  const kinds = [
    hours.map((each) => ({ share: plan.share, hours: each })),
    shares.map((share) => ({ share, hours: plan.hours })),
    shares.flatMap((share, index) => hours.slice(index, index + 1).map((each) => ({ share, hours: each }))),
  ];
  const found = kinds.map((changes) => {
    for (const change of changes) {
      const { aborted } = simulateCanary({ ...plan, ...change }, badRate, runs, seed);
      if (aborted >= plan.power) return { ...change, power: aborted };
    }
    return undefined;
  });
  const [longer, larger, both] = found;
  // Both at once are of interest where neither alone suffices.
  return [longer, larger, ...(longer === undefined && larger === undefined ? [both] : [])].filter(
    (each) => each !== undefined,
  );
}

/** Simulates canaries whose candidate has a certain error rate. */
export function simulateCanary(plan: CanaryPlan, candidateRate: number, runs: number, seed: number): CanaryOutcomes {
  const random = mulberry32(seed);
  const abortedAt: number[] = [];
  const provenAt: number[] = [];
  let finished = 0;
  for (let run = 0; run < runs; run += 1) {
    const { abortedAfter, provenAfter, isProvenAtEnd } = simulateOne(plan, candidateRate, random);
    if (abortedAfter !== undefined) abortedAt.push(abortedAfter);
    else if (isProvenAtEnd) finished += 1;
    if (provenAfter !== undefined) provenAt.push(provenAfter);
  }
  return {
    candidateRate,
    runs,
    aborted: abortedAt.length / runs,
    finished: finished / runs,
    inconclusive: (runs - abortedAt.length - finished) / runs,
    hoursToAbort: median(abortedAt),
    hoursToProof: median(provenAt),
  };
}

function simulateOne(plan: CanaryPlan, candidateRate: number, random: () => number) {
  const { share, hours, errorRate, toleratedErrorRate } = plan;
  const [comparison, tolerated] = [comparisonProcess(), toleratedProcess(toleratedErrorRate)];
  const looks = Math.max(1, Math.min(LOOKS, Math.round(hours * 60)));
  const total = Math.min(MOST_REQUESTS, plan.requestsPerSecond * 3600 * hours);
  let provenAfter: number | undefined;
  const isProven = (): boolean => logNotBadAtAll(tolerated, comparison.logNotBad()) >= LOG_REJECTS_AT;
  for (let look = 1; look <= looks; look += 1) {
    const requests = Math.round((total * look) / looks) - Math.round((total * (look - 1)) / looks);
    if (requests === 0) continue;
    const own = drawBinomial(requests, share, random);
    const errors = drawBinomial(own, candidateRate, random);
    comparison.add(own, errors, requests - own, drawBinomial(requests - own, errorRate, random));
    tolerated.add(own, errors);
    // The other metric's e-value is taken to be 0, so that the mean is the half.
    if (comparison.logRegression() - Math.LN2 >= LOG_REJECTS_AT)
      return { abortedAfter: (look * hours) / looks, provenAfter, isProvenAtEnd: false };
    if (provenAfter === undefined && isProven()) provenAfter = (look * hours) / looks;
  }
  return { abortedAfter: undefined, provenAfter, isProvenAtEnd: isProven() };
}

function median(values: readonly number[]): number | null {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? null;
}
