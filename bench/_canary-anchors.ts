// What rollout tools do instead, on the same counts: each answers at which minute it would abort.
import type { ArmCounts, CanaryCounts } from '#domain/canary/counts.ts';

export type Metric = 'errors' | 'slow';

/** Looks at one minute after the other; true where it aborts. */
export type Anchor = (minute: number, counts: CanaryCounts) => boolean;

/** One-sided 1 %. */
const Z = 2.326;

/** Flagger's and Argo Rollouts' usual analysis: the candidate's rate of an interval above a fixed one, so many times. */
export function fixedThreshold(metric: Metric, threshold: number, minutesOfCheck = 5, failedChecks = 5): Anchor {
  let [requests, bad, failed] = [0, 0, 0];
  return (minute, { candidate }) => {
    requests += candidate.requests;
    bad += candidate[metric];
    if ((minute + 1) % minutesOfCheck !== 0) return false;
    if (requests > 0 && bad / requests > threshold) failed += 1;
    [requests, bad] = [0, 0];
    return failed >= failedChecks;
  };
}

/** A pooled test of two proportions on all requests so far, looked at each minute. */
export function peekedZTest(metric: Metric): Anchor {
  const [own, others] = [
    { requests: 0, bad: 0 },
    { requests: 0, bad: 0 },
  ];
  return (_, { candidate, control, champion }) => {
    add(own, candidate, metric);
    add(others, control, metric);
    add(others, champion, metric);
    if (own.requests < 30 || others.requests < 30) return false;
    const pooled = (own.bad + others.bad) / (own.requests + others.requests);
    const error = Math.sqrt(pooled * (1 - pooled) * (1 / own.requests + 1 / others.requests));
    return error > 0 && (own.bad / own.requests - others.bad / others.requests) / error > Z;
  };
}

function add(sum: { requests: number; bad: number }, arm: ArmCounts, metric: Metric): void {
  sum.requests += arm.requests;
  sum.bad += arm[metric];
}

/** Kayenta's judge: Mann-Whitney on the minutes' rates of candidate and control arm, per window. */
export function mannWhitneyWindows(metric: Metric, window = 30): Anchor {
  let [own, others]: [number[], number[]] = [[], []];
  return (_, { candidate, control }) => {
    if (candidate.requests > 0) own.push(candidate[metric] / candidate.requests);
    if (control.requests > 0) others.push(control[metric] / control.requests);
    if (own.length < window || others.length < window) return false;
    const z = mannWhitneyZ(own, others);
    [own, others] = [[], []];
    return z > Z;
  };
}

/** The normal approximation of the Mann-Whitney statistic, with its correction for ties; above 0 where the first is larger (Lehmann 1975, Nonparametrics, section 1.4). */
export function mannWhitneyZ(first: readonly number[], second: readonly number[]): number {
  const all = [
    ...first.map((value) => ({ value, isFirst: true })),
    ...second.map((value) => ({ value, isFirst: false })),
  ];
  all.sort((a, b) => a.value - b.value);
  let [rankSum, ties] = [0, 0];
  for (let from = 0; from < all.length;) {
    let to = from + 1;
    while (to < all.length && all[to]!.value === all[from]!.value) to += 1;
    const rank = (from + 1 + to) / 2;
    for (let index = from; index < to; index += 1) if (all[index]!.isFirst) rankSum += rank;
    ties += (to - from) ** 3 - (to - from);
    from = to;
  }
  const [n, m, total] = [first.length, second.length, all.length];
  const variance = ((n * m) / 12) * (total + 1 - ties / (total * (total - 1)));
  return variance > 0 ? (rankSum - (n * (n + 1)) / 2 - (n * m) / 2) / Math.sqrt(variance) : 0;
}
