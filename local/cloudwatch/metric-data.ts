import { z } from 'zod';
import type { GetMetricData } from './requests.ts';
import { type Datapoint, datapoints } from './statistics.ts';
import type { MetricStore } from './store.ts';
import type { TimeScale } from './time-scale.ts';
import { ApiError } from './wire.ts';

/** Where a page of an answer begins: after so many datapoints. */
const Token = z.strictObject({ after: z.int().min(0) });

interface Result {
  readonly Id: string;
  readonly Label: string;
  readonly Timestamps: readonly number[];
  readonly Values: readonly number[];
  readonly StatusCode: 'Complete' | 'PartialData';
}

/**
 * Answers GetMetricData: periods begin at StartTime, rounded down as AWS does, and before EndTime; those without data are left
 * out. In a scaled time both ends of the window are scaled, and timestamps are mapped back (`TimeScale.unscaled`).
 */
export function metricData(store: MetricStore, scale: TimeScale, account: string, request: GetMetricData): unknown {
  const { after } = readToken(request.NextToken) ?? { after: 0 };
  const until = after + request.MaxDatapoints;
  const results: Result[] = [];
  let total = 0;
  for (const { Id, Label, MetricStat, ReturnData } of request.MetricDataQueries) {
    if (MetricStat === undefined) throw new ApiError('ValidationError', `MetricDataQueries: ${Id} has no MetricStat`);
    if (!ReturnData) continue;
    const found = window(store, scale, account, MetricStat, request);
    const page = found.slice(Math.max(0, after - total), Math.max(0, until - total));
    total += found.length;
    // A metric without data is answered for on the first page.
    if (page.length === 0 && (found.length > 0 || after > 0)) continue;
    results.push({
      Id,
      Label: Label ?? MetricStat.Metric.MetricName,
      Timestamps: page.map(({ at }) => scale.unscaled(at) / 1000),
      Values: page.map(({ value }) => value),
      StatusCode: found.length === 0 || total <= until ? 'Complete' : 'PartialData',
    });
  }
  return {
    MetricDataResults: results,
    Messages: [],
    ...(total > until && { NextToken: Buffer.from(JSON.stringify({ after: until })).toString('base64') }),
  };
}

type MetricStat = NonNullable<GetMetricData['MetricDataQueries'][number]['MetricStat']>;

/** The datapoints of one query, in the order that it asks for. */
function window(
  store: MetricStore,
  scale: TimeScale,
  account: string,
  { Metric, Period, Stat, Unit }: MetricStat,
  { StartTime, EndTime, ScanBy }: GetMetricData,
): readonly Datapoint[] {
  const period = Period * 1000;
  const rounding = Math.min(period, 60_000);
  const start = Math.floor(scale.scaled(StartTime * 1000) / rounding) * rounding;
  const end = scale.scaled(EndTime * 1000);
  const metric = { namespace: Metric.Namespace, name: Metric.MetricName, dimensions: Metric.Dimensions };
  const samples = store
    .samples(account, metric, Unit)
    .map((sample) => ({ ...sample, at: scale.scaled(sample.at) }))
    .filter(({ at }) => at >= start && at < end);
  const found = datapoints(samples, Stat, start, period);
  return ScanBy === 'TimestampAscending' ? found : found.toReversed();
}

function readToken(token: string | undefined): z.infer<typeof Token> | undefined {
  if (token === undefined) return undefined;
  try {
    return Token.parse(JSON.parse(Buffer.from(token, 'base64').toString()));
  } catch {
    throw new ApiError('InvalidNextToken', 'NextToken: is none that an answer had');
  }
}
