import { METRICS_NAMESPACE } from '#domain/drift/metrics.ts';
import type { Clock } from '#ports/clock.ts';
import type { Metrics } from '#ports/metrics.ts';

/**
 * Metrics as lines of a function's log, from which CloudWatch makes them: a call less, and nothing that can fail.
 * Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
export function embeddedMetrics(clock: Clock, write: (line: string) => void): Metrics {
  return {
    emit(dimensions, values) {
      const directive = {
        Namespace: METRICS_NAMESPACE,
        Dimensions: [Object.keys(dimensions)],
        Metrics: Object.keys(values).map((Name) => ({ Name, Unit: 'None' })),
      };
      const about = { Timestamp: clock.now().getTime(), CloudWatchMetrics: [directive] };
      write(JSON.stringify({ _aws: about, ...dimensions, ...values }));
    },
  };
}
