import type { ServingRule } from '../policy/policy.ts';
import { METRICS_NAMESPACE } from '../drift/metrics.ts';
import { type AlarmKind, ENDPOINT_METRICS } from './alarm.ts';

/** One metric with its exact dimensions, by the minute. */
export interface MetricQuery {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: Readonly<Record<string, string>>;
  readonly statistic: 'Sum' | 'SampleCount' | 'Minimum';
}

/** Values of a metric by the minute that they begin, in any order; minutes without a value are left out. */
export type Series = readonly { readonly at: Date; readonly value: number }[];

/** What identifies the endpoint of a model in metrics. */
export interface MeasuredEndpoint {
  readonly environment: string;
  readonly model: string;
  /** The id of its HTTP API. */
  readonly api: string;
  /** The name of its function. */
  readonly functionName: string;
}

/** The metrics that a kind of alarm is judged by, by the names that `judgeSamples` knows. */
export function queriesOf(kind: AlarmKind, endpoint: MeasuredEndpoint): Readonly<Record<string, MetricQuery>> {
  const { environment, model, api, functionName } = endpoint;
  const own = (name: string, statistic: MetricQuery['statistic'], arm?: string): MetricQuery => ({
    namespace: METRICS_NAMESPACE,
    name,
    dimensions: { environment, model, ...(arm === undefined ? {} : { arm }) },
    statistic,
  });
  const ofApi = (name: string): MetricQuery => ({
    namespace: 'AWS/ApiGateway',
    name,
    dimensions: { ApiId: api },
    statistic: 'Sum',
  });
  const throttled: MetricQuery = {
    namespace: 'AWS/Lambda',
    name: 'Throttles',
    dimensions: { FunctionName: functionName },
    statistic: 'Sum',
  };
  const { probeFailed, dependencyUnavailable, slow } = ENDPOINT_METRICS;
  switch (kind) {
    case 'errors':
      return {
        count: ofApi('Count'),
        failed: ofApi('5xx'),
        throttled,
        unavailable: own(dependencyUnavailable, 'Sum', 'champion'),
        probes: own(probeFailed, 'SampleCount'),
        failedProbes: own(probeFailed, 'Sum'),
      };
    case 'latency':
      return { slow: own(slow, 'Sum', 'champion'), answers: own(slow, 'SampleCount', 'champion') };
    case 'health':
      return { probeFailed: own(probeFailed, 'Minimum'), throttled };
  }
}

/** Seconds after a switch in which answers of the release before may still be counted. */
const SWITCHING_SECONDS = 10;

/** The minutes that a kind of alarm is judged by: none of them of an epoch before the pointer's. */
export function windowOf(
  kind: AlarmKind,
  rule: ServingRule,
  epochBegan: string,
  now: Date,
): { readonly from: Date; readonly until: Date } {
  // A probe that is late, or is missing, does not end a row of failures.
  const minutes = kind === 'health' ? rule.health.failures * 3 : rule[kind].minutes;
  const switched = Date.parse(epochBegan) + SWITCHING_SECONDS * 1000;
  return { from: new Date(Math.max(now.getTime() - minutes * 60_000, switched)), until: now };
}
