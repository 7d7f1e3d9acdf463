import { type CloudWatchClient, paginateDescribeAlarms, paginateGetMetricData } from '@aws-sdk/client-cloudwatch';
import type { MetricQuery, Series } from '#domain/alarm/samples.ts';
import { GatehouseError } from '#domain/error.ts';
import type { Alarms } from '#ports/alarms.ts';
import type { MetricData } from '#ports/metric-data.ts';

/** Seconds of the values that are asked for, unless others are named. */
const PERIOD = 60;

/** Metrics of CloudWatch. */
export function cloudWatchMetrics(client: CloudWatchClient): MetricData {
  return {
    async read(queries, { from, until, periodSeconds = PERIOD }) {
      const names = Object.keys(queries);
      const pages = paginateGetMetricData(
        { client },
        {
          StartTime: from,
          EndTime: until,
          MetricDataQueries: Object.values<MetricQuery>(queries).map((query, index) => ({
            Id: `m${index}`,
            MetricStat: {
              Metric: {
                Namespace: query.namespace,
                MetricName: query.name,
                Dimensions: Object.entries(query.dimensions).map(([Name, Value]) => ({ Name, Value })),
              },
              Period: periodSeconds,
              Stat: query.statistic,
            },
          })),
        },
      );
      const series: Record<string, { at: Date; value: number }[]> = Object.fromEntries(names.map((name) => [name, []]));
      for await (const { MetricDataResults: results = [] } of pages)
        for (const {
          Id: id = '',
          StatusCode: status,
          Timestamps: times = [],
          Values: values = [],
          Messages,
        } of results) {
          const name = names[Number(id.slice(1))] ?? id;
          // `PartialData` goes on in the next page.
          if (status === 'InternalError' || status === 'Forbidden')
            throw new GatehouseError('METRICS_UNREAD', `${name}: ${status} ${JSON.stringify(Messages ?? [])}`, {
              name,
            });
          for (const [index, at] of times.entries())
            // A start that is no whole minute is rounded down.
            if (at >= from) series[name]?.push({ at, value: values[index] ?? Number.NaN });
        }
      return series as Record<keyof typeof queries, Series>;
    },
  };
}

/** Alarms of CloudWatch. */
export function cloudWatchAlarms(client: CloudWatchClient): Alarms {
  return {
    async inAlarm(prefix) {
      const found: string[] = [];
      const pages = paginateDescribeAlarms({ client }, { AlarmNamePrefix: prefix, StateValue: 'ALARM' });
      for await (const { MetricAlarms: alarms = [] } of pages)
        for (const { AlarmName: name } of alarms) if (name !== undefined) found.push(name);
      return found;
    },
  };
}
