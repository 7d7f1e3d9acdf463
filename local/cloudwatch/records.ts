import { z } from 'zod';
import { type Measured } from './requests.ts';
import { readEmbedded } from './embedded.ts';
import { sampleOf } from './statistics.ts';

const Execution = z.strictObject({
  account: z.string(),
  function: z.string(),
  /** As in the dimension: `name`, or `name:alias`. */
  resource: z.string(),
  logGroup: z.string(),
  /** When it began, in milliseconds of the epoch. */
  at: z.number(),
  milliseconds: z.number(),
  outcome: z.enum(['succeeded', 'failed', 'throttled']),
  /** The lines of its log that may be in the embedded metric format. */
  embedded: z.array(z.string()),
});

const ApiRequest = z.strictObject({
  account: z.string(),
  api: z.string(),
  stage: z.string(),
  at: z.number(),
  milliseconds: z.number(),
  status: z.int(),
});

/** What the emulator reports of its executions (local/emulator/records.py). */
export const Records = z.strictObject({
  /** The accounts that have alarms. */
  accounts: z.array(z.string()),
  executions: z.array(Execution),
  requests: z.array(ApiRequest),
});
export type Records = z.infer<typeof Records>;

/** A sample of an account's metric. */
export interface Recorded extends Measured {
  readonly account: string;
}

type Values = Readonly<Record<string, readonly [value: number, unit: 'Count' | 'Milliseconds']>>;

/**
 * The metrics that AWS makes of an execution: at the instant at which it began, for the function and for the version or alias by
 * which it was invoked. One that was throttled is no invocation.
 *
 * Source: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
 */
export function executionMetrics(execution: z.infer<typeof Execution>): readonly Recorded[] {
  const throttled = execution.outcome === 'throttled';
  const values: Values = {
    Throttles: [throttled ? 1 : 0, 'Count'],
    ...(!throttled && {
      Invocations: [1, 'Count'],
      Errors: [execution.outcome === 'failed' ? 1 : 0, 'Count'],
      Duration: [execution.milliseconds, 'Milliseconds'],
    }),
  };
  const { function: FunctionName, resource: Resource } = execution;
  return recorded('AWS/Lambda', [{ FunctionName }, { FunctionName, Resource }], values, execution);
}

/**
 * The metrics that AWS makes of a request to an HTTP API: an answer is 4xx, 5xx or neither, so that their averages are rates.
 *
 * Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-metrics.html
 */
export function apiMetrics(request: z.infer<typeof ApiRequest>): readonly Recorded[] {
  const values: Values = {
    Count: [1, 'Count'],
    '4xx': [request.status >= 400 && request.status < 500 ? 1 : 0, 'Count'],
    '5xx': [request.status >= 500 ? 1 : 0, 'Count'],
    Latency: [request.milliseconds, 'Milliseconds'],
  };
  const { api: ApiId, stage: Stage } = request;
  return recorded('AWS/ApiGateway', [{ ApiId }, { ApiId, Stage }], values, request);
}

/** What the embedded lines of an execution's log measure; a line that cannot be read is said and counted. */
export function embeddedMetrics(
  { account, logGroup, at, embedded }: z.infer<typeof Execution>,
  now: number,
  say: (message: string) => void,
): readonly Recorded[] {
  return embedded.flatMap((line) => {
    const read = readEmbedded(line, now);
    if ('measured' in read) return read.measured.map((each) => ({ account, ...each }));
    say(`${logGroup} of ${account}: a line in the embedded metric format is skipped (${read.error}): ${read.found}`);
    return recorded('AWS/Logs', [{ LogGroupName: logGroup }], { [read.error]: [1, 'Count'] }, { account, at });
  });
}

function recorded(
  namespace: string,
  dimensionSets: readonly Readonly<Record<string, string>>[],
  values: Values,
  { account, at }: { readonly account: string; readonly at: number },
): readonly Recorded[] {
  return dimensionSets.flatMap((dimensions) =>
    Object.entries(values).map(([name, [value, unit]]) => ({
      account,
      metric: { namespace, name, dimensions },
      sample: sampleOf(at, value, unit),
    })),
  );
}
