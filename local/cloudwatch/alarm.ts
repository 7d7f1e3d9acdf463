import type { MetricAlarm } from '@aws-sdk/client-cloudwatch';
import { z } from 'zod';
import {
  ALARM_STATES,
  type AlarmRule,
  type AlarmState,
  COMPARISONS,
  type Comparison,
  type Evaluation,
  evaluateAlarm,
  evaluationRange,
  MISSING_DATA,
} from './evaluate.ts';
import { datapoints, STATISTICS } from './statistics.ts';
import type { Metric, MetricStore } from './store.ts';
import type { TimeScale } from './time-scale.ts';

const DAY_S = 86_400;

/** An alarm as it is deployed, of the kind that is evaluated: on one metric. */
export interface WatchedAlarm {
  readonly name: string;
  readonly metric: Metric;
  readonly unit: string | undefined;
  readonly rule: AlarmRule;
  readonly state: AlarmState;
}

const Watched = z.object({
  AlarmName: z.string(),
  Namespace: z.string({ error: 'is missing: the alarm is on no single metric' }),
  MetricName: z.string({ error: 'is missing: the alarm is on no single metric' }),
  Dimensions: z.array(z.object({ Name: z.string(), Value: z.string() })).default([]),
  Unit: z.string().optional(),
  ExtendedStatistic: z.undefined({ error: 'percentiles are not served' }).optional(),
  Statistic: z.enum(STATISTICS),
  Period: z.int().positive(),
  EvaluationPeriods: z.int().positive(),
  DatapointsToAlarm: z.int().positive().optional(),
  Threshold: z.number(),
  ComparisonOperator: z.enum(Object.keys(COMPARISONS) as [Comparison, ...Comparison[]]),
  TreatMissingData: z.enum(MISSING_DATA).default('missing'),
  StateValue: z.enum(ALARM_STATES),
});

/** What an alarm is evaluated by, or why it cannot be evaluated here. */
export function watched(alarm: MetricAlarm): WatchedAlarm | string {
  const given = Object.fromEntries(Object.entries(alarm).filter(([, value]) => value !== null && value !== undefined));
  const parsed = Watched.safeParse(given);
  if (!parsed.success)
    return parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ');
  const { data } = parsed;
  return {
    name: data.AlarmName,
    metric: {
      namespace: data.Namespace,
      name: data.MetricName,
      dimensions: Object.fromEntries(data.Dimensions.map(({ Name, Value }) => [Name, Value])),
    },
    unit: data.Unit,
    rule: {
      statistic: data.Statistic,
      period: data.Period,
      evaluationPeriods: data.EvaluationPeriods,
      datapointsToAlarm: data.DatapointsToAlarm ?? data.EvaluationPeriods,
      comparison: data.ComparisonOperator,
      threshold: data.Threshold,
      missingData: data.TreatMissingData,
    },
    state: data.StateValue,
  };
}

/**
 * How often an alarm is evaluated, in milliseconds: each minute, whatever its period, over periods that end at that minute;
 * with periods of less than a minute each ten seconds, and over more than a day each hour.
 *
 * Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
 */
export function evaluationInterval({ period, evaluationPeriods }: AlarmRule): number {
  if (period < 60) return 10_000;
  return period * evaluationPeriods > DAY_S ? 3_600_000 : 60_000;
}

/** An evaluation of an alarm, with what AWS reports of it as `reasonData`. */
export interface Verdict extends Evaluation {
  readonly reasonData: string;
}

/** Evaluates an alarm over the periods that end at a (scaled) instant. */
export function evaluateAt(
  store: MetricStore,
  scale: TimeScale,
  account: string,
  { metric, unit, rule }: WatchedAlarm,
  end: number,
  current: AlarmState,
): Verdict {
  const period = rule.period * 1000;
  const periods = evaluationRange(rule);
  const start = end - periods * period;
  const samples = store
    .samples(account, metric, unit)
    .map((sample) => ({ ...sample, at: scale.scaled(sample.at) }))
    .filter(({ at }) => at >= start && at < end);
  const found = new Map(datapoints(samples, rule.statistic, start, period).map((each) => [each.at, each]));
  const range = Array.from({ length: periods }, (_, index) => found.get(start + index * period));
  const evaluation = evaluateAlarm(rule, range, current);
  const reasonData = JSON.stringify({
    version: '1.0',
    queryDate: awsTime(end),
    startDate: awsTime(evaluation.evaluated[0]?.at ?? start),
    statistic: rule.statistic,
    period: rule.period,
    recentDatapoints: evaluation.evaluated.map(({ value }) => value),
    threshold: rule.threshold,
    evaluatedDatapoints: evaluation.evaluated.map(({ at, sampleCount, value }) => ({
      timestamp: awsTime(at),
      sampleCount,
      value,
    })),
  });
  return { ...evaluation, reasonData };
}

/** `2026-11-30T07:48:00.000+0000`, as CloudWatch writes instants in documents. */
export const awsTime = (at: number): string => new Date(at).toISOString().replace('Z', '+0000');
