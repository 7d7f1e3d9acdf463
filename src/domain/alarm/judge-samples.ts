import betaQuantile from '@stdlib/stats-base-dists-beta-quantile';
import type { ServingRule } from '../policy/serving.ts';
import type { AlarmKind } from './alarm.ts';
import type { Series } from './samples.ts';

/** Whether what was measured proves that the release has to be rolled back. */
export interface Judgement {
  readonly isProven: boolean;
  /** What was measured, in words. */
  readonly found: string;
  readonly values: Readonly<Record<string, number>>;
}

/**
 * Judges the minutes of a kind of alarm by a policy's rule: enough samples, and the lower bound of the share above the threshold. What is
 * missing, is no number, or is of no whole number of requests proves nothing.
 */
export function judgeSamples(kind: AlarmKind, rule: ServingRule, series: Readonly<Record<string, Series>>): Judgement {
  const strange = Object.entries(series).find(([, values]) =>
    values.some(({ value }) => !(value >= 0 && value < 1e15)),
  );
  if (strange !== undefined)
    return { isProven: false, found: `${strange[0]} has a value that is no count`, values: {} };
  switch (kind) {
    case 'errors':
      return judgeErrors(rule, series);
    case 'latency':
      return judgeLatency(rule, series);
    case 'health':
      return judgeHealth(rule, series);
  }
}

function judgeErrors(rule: ServingRule, series: Readonly<Record<string, Series>>): Judgement {
  const [count, failed, crashed, errors, throttled, unavailable, probes, failedProbes] = [
    'count',
    'failed',
    'crashed',
    'errors',
    'throttled',
    'unavailable',
    'probes',
    'failedProbes',
  ].map((name) => sum(series[name]));
  // What failed because of the release is counted, and not what is left over: what is missing, or comes late, proves nothing then. A
  // function that crashes, or is too slow, says nothing itself. What no function answered says nothing of the release either way.
  const own = Math.max(0, Math.min(failed!, errors! + crashed! - failedProbes!));
  const requests = Math.max(own, count! - probes! - throttled! - unavailable!);
  const { rate, minutes, minimumCount } = rule.errors;
  const bound = lowerBound(own, requests, rule.confidence);
  const others = `${throttled} throttled, ${unavailable} for something beside the release`;
  const found = `${own} of ${requests} requests failed in ${minutes} minutes (${others}): at least ${percent(bound)}, tolerated are ${percent(rate)}`;
  return {
    isProven: own >= minimumCount && bound > rate,
    found,
    values: {
      requests,
      failed: own,
      throttled: throttled!,
      unavailable: unavailable!,
      lowerBound: bound,
      threshold: rate,
    },
  };
}

function judgeLatency(rule: ServingRule, series: Readonly<Record<string, Series>>): Judgement {
  const { factor, share, minutes, minimumCount } = rule.latency;
  const answers = sum(series['answers']);
  const slow = Math.min(answers, sum(series['slow']));
  const bound = lowerBound(slow, answers, rule.confidence);
  const found = `${slow} of ${answers} answers took more than ${factor} times the baseline in ${minutes} minutes: at least ${percent(bound)}, tolerated are ${percent(share)}`;
  return {
    isProven: slow >= minimumCount && bound > share,
    found,
    values: { answers, slow, lowerBound: bound, threshold: share },
  };
}

function judgeHealth(rule: ServingRule, series: Readonly<Record<string, Series>>): Judgement {
  const { failures } = rule.health;
  // A function that is throttled fails its probes as well, and no other release would be throttled less.
  const minutes = new Set((series['throttled'] ?? []).filter(({ value }) => value > 0).map(({ at }) => at.getTime()));
  const probes = (series['probeFailed'] ?? [])
    .filter(({ at }) => !minutes.has(at.getTime()))
    .toSorted((a, b) => a.at.getTime() - b.at.getTime());
  const newest = probes.slice(-failures);
  const failed = newest.filter(({ value }) => value >= 1).length;
  const throttled = sum(series['throttled']);
  const found = `${failed} of the newest ${newest.length} probes failed, ${failures} in a row roll back; ${throttled} calls were throttled`;
  return {
    isProven: newest.length === failures && failed === failures,
    found,
    values: { probes: probes.length, failed, throttled, threshold: failures },
  };
}

/**
 * The one-sided lower bound of a share, exact for any number of samples (Clopper and Pearson 1934, The use of confidence or fiducial
 * limits illustrated in the case of the binomial).
 */
export function lowerBound(count: number, of: number, confidence: number): number {
  return count === 0 || of === 0 ? 0 : betaQuantile(1 - confidence, count, of - count + 1);
}

function sum(series: Series = []): number {
  return series.reduce((total, { value }) => total + value, 0);
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
