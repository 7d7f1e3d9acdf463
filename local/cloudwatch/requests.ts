import { z } from 'zod';
import { STATISTICS, type Sample, sampleOf } from './statistics.ts';
import type { Metric } from './store.ts';
import { ApiError } from './wire.ts';

const HOUR_MS = 3_600_000;
/** What AWS takes data points for: two weeks back, two hours ahead. */
export const isTimely = (at: number, now: number): boolean => at >= now - 14 * 24 * HOUR_MS && at <= now + 2 * HOUR_MS;

const Dimensions = z
  .array(z.object({ Name: z.string().min(1).max(255), Value: z.string().min(1).max(1024) }))
  .max(30)
  .default([])
  .transform((list) => Object.fromEntries(list.map(({ Name, Value }) => [Name, Value])));

/** Infinite values, and those that are no numbers, are refused as on AWS. */
const Value = z
  .number()
  .min(-(2 ** 360))
  .max(2 ** 360);

const Datum = z
  .object({
    MetricName: z.string().min(1).max(255),
    Dimensions,
    Timestamp: z.number().optional(),
    Unit: z.string().default('None'),
    Value: Value.optional(),
    Values: z.array(Value).max(150).optional(),
    Counts: z.array(Value.min(0)).max(150).optional(),
    StatisticValues: z.object({ SampleCount: Value.positive(), Sum: Value, Minimum: Value, Maximum: Value }).optional(),
  })
  .refine(
    (datum) => [datum.Value, datum.Values, datum.StatisticValues].filter((each) => each !== undefined).length === 1,
    'must have exactly one of Value, Values and StatisticValues',
  )
  .refine(({ Values, Counts }) => Counts === undefined || Counts.length === Values?.length, {
    path: ['Counts'],
    message: 'must be as many as Values',
  });

export const PutMetricData = z.object({
  Namespace: z
    .string()
    .min(1)
    .max(255)
    .refine((name) => !name.startsWith('AWS/'), 'must not begin with AWS/, which is of AWS’s services'),
  MetricData: z.array(Datum).max(1000),
});

const Query = z.object({
  Id: z.string().regex(/^[a-z][a-zA-Z0-9_]{0,254}$/),
  MetricStat: z
    .object({
      Metric: z.object({ Namespace: z.string(), MetricName: z.string(), Dimensions }),
      Period: z.int().refine((period) => [1, 5, 10, 20, 30].includes(period) || (period > 0 && period % 60 === 0), {
        message: 'must be 1, 5, 10, 20, 30 or a multiple of 60',
      }),
      Stat: z.enum(STATISTICS, { error: `the local CloudWatch serves ${STATISTICS.join(', ')}` }),
      Unit: z.string().optional(),
    })
    .optional(),
  Expression: z.undefined({ error: 'the local CloudWatch serves no metric math' }).optional(),
  Label: z.string().optional(),
  ReturnData: z.boolean().default(true),
});

export const GetMetricData = z
  .object({
    MetricDataQueries: z.array(Query).min(1).max(500),
    StartTime: z.number(),
    EndTime: z.number(),
    NextToken: z.string().optional(),
    ScanBy: z.enum(['TimestampDescending', 'TimestampAscending']).default('TimestampDescending'),
    MaxDatapoints: z.int().min(1).max(100_800).default(100_800),
  })
  .refine(({ StartTime, EndTime }) => StartTime < EndTime, 'StartTime must be less than EndTime')
  .refine(({ MetricDataQueries: queries }) => new Set(queries.map(({ Id }) => Id)).size === queries.length, {
    path: ['MetricDataQueries'],
    message: 'must have different values of Id',
  });
export type GetMetricData = z.infer<typeof GetMetricData>;

/** The request, or the error that AWS answers with, which names the member. */
export function parseRequest<T>(schema: z.ZodType<T>, input: unknown): T {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'request'}: ${message}`);
  throw new ApiError('ValidationError', issues.join('; '));
}

/** A sample of a metric. */
export interface Measured {
  readonly metric: Metric;
  readonly sample: Sample;
}

/** What a PutMetricData measures. */
export function measuredBy({ Namespace, MetricData }: z.infer<typeof PutMetricData>, now: number): readonly Measured[] {
  return MetricData.flatMap((datum, index) => {
    const at = datum.Timestamp === undefined ? now : datum.Timestamp * 1000;
    if (!isTimely(at, now))
      throw new ApiError(
        'InvalidParameterValue',
        `MetricData.${index}.Timestamp: ${new Date(at).toISOString()} is more than two weeks ago or two hours ahead`,
      );
    const metric = { namespace: Namespace, name: datum.MetricName, dimensions: datum.Dimensions };
    const statistics = datum.StatisticValues;
    const samples =
      statistics !== undefined
        ? [
            {
              at,
              count: statistics.SampleCount,
              sum: statistics.Sum,
              minimum: statistics.Minimum,
              maximum: statistics.Maximum,
              unit: datum.Unit,
            },
          ]
        : (datum.Values ?? [datum.Value ?? 0]).flatMap((value, each) => {
            const count = datum.Counts?.[each] ?? 1;
            return count === 0 ? [] : [sampleOf(at, value, datum.Unit, count)];
          });
    return samples.map((sample) => ({ metric, sample }));
  });
}
