import type { ServingRule } from '../policy/serving.ts';
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
  const ofFunction = (name: string): MetricQuery => ({
    namespace: 'AWS/Lambda',
    name,
    dimensions: { FunctionName: functionName },
    statistic: 'Sum',
  });
  const throttled = ofFunction('Throttles');
  const { probeFailed, dependencyUnavailable, slow } = ENDPOINT_METRICS;
  switch (kind) {
    case 'errors':
      return {
        count: ofApi('Count'),
        failed: ofApi('5xx'),
        crashed: ofFunction('Errors'),
        errors: own(ENDPOINT_METRICS.errors, 'Sum', 'champion'),
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

/** Seconds that a call may take: what began before an endpoint knew of a switch may end so much later. */
export const LONGEST_CALL_SECONDS = 30;

/** The minutes that a kind of alarm is judged by: none of them of an epoch before the pointer's; undefined while there are none. */
export function windowOf(
  kind: AlarmKind,
  rule: ServingRule,
  { epochBegan, pointerMaxAgeSeconds }: { readonly epochBegan: string; readonly pointerMaxAgeSeconds: number },
  now: Date,
): { readonly from: Date; readonly until: Date } | undefined {
  // A probe that is late, or is missing, does not end a row of failures.
  const minutes = kind === 'health' ? rule.health.failures * 3 : rule[kind].minutes;
  const switched = Date.parse(epochBegan) + (pointerMaxAgeSeconds + LONGEST_CALL_SECONDS) * 1000;
  const from = Math.max(now.getTime() - minutes * 60_000, switched);
  return from < now.getTime() ? { from: new Date(from), until: now } : undefined;
}
