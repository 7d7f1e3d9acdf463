import { type CanaryPower, planCanary } from '../../canary/power.ts';
import type { CanaryRule } from '../../policy/canary.ts';
import { percent } from '../../text.ts';
import type { GateRemedy, GateResult } from '../gate.ts';

/** What would turn its verdict. */
export const canaryPowerRemedy: GateRemedy = () =>
  'request it with more time: gatehouse promote REL --to prod --canary-hours N; or, where the policy names who approves that, on its shadow alone: --shadow-only';

/** Can a canary of the traffic that there is see a bad error rate in its time? One that cannot is not begun. */
export function canaryPower(
  rule: CanaryRule,
  /** Requests per second of the last day, and the champion's error rate; undefined where they could not be measured. */
  traffic: { readonly requestsPerSecond: number; readonly errorRate: number } | undefined,
): GateResult {
  if (traffic === undefined || !Number.isFinite(traffic.requestsPerSecond) || !Number.isFinite(traffic.errorRate))
    return { verdict: 'INCONCLUSIVE', reasons: ['the traffic before the canary was not measured'], numbers: {} };
  const { requestsPerSecond, errorRate } = traffic;
  if (!(requestsPerSecond > 0))
    return {
      verdict: 'INCONCLUSIVE',
      reasons: ['the endpoint had no requests in as long a time before as the canary is to last'],
      numbers: { requestsPerSecond: 0 },
    };
  if (errorRate >= 0.5)
    return {
      verdict: 'INCONCLUSIVE',
      reasons: [`the champion fails ${percent(errorRate)} of its requests: nothing can be compared with it`],
      numbers: { requestsPerSecond, errorRate },
    };
  const { share, hours, toleratedErrorRate, power } = rule;
  const planned = planCanary({ requestsPerSecond, share, hours, errorRate, toleratedErrorRate, power });
  const numbers = {
    requestsPerSecond,
    errorRate,
    badRate: planned.badRate,
    power: planned.bad.aborted,
    powerNeeded: power,
    candidateRequests: planned.expectedRequests.candidate,
  };
  return planned.canStart
    ? { verdict: 'PASS', reasons: [found(planned)], numbers }
    : { verdict: 'INCONCLUSIVE', reasons: [found(planned), helpOf(planned)], numbers };
}

function found({ plan, badRate, bad, expectedRequests }: CanaryPower): string {
  return `${percent(bad.aborted, 1)} of candidates that fail ${percent(badRate)} of their requests are found in ${plan.hours} h with a share of ${percent(plan.share, 0)}, ${expectedRequests.candidate} requests; ${percent(plan.power, 1)} are needed`;
}

function helpOf({ helps }: CanaryPower): string {
  const ways = helps.map(
    ({ share, hours, power }) => `${hours} h with a share of ${percent(share, 0)} (${percent(power, 1)})`,
  );
  return ways.length === 0
    ? 'no longer or larger canary that was tried suffices'
    : `what would suffice: ${ways.join('; ')}`;
}
