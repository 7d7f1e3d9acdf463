import { Metrics as EmbeddedMetrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { METRICS_NAMESPACE } from '#domain/drift/metrics.ts';
import type { Clock } from '#ports/clock.ts';
import type { Metrics } from '#ports/metrics.ts';

/**
 * Metrics as lines of a function's log, from which CloudWatch makes them: a call less, and nothing that can fail.
 * Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
export function embeddedMetrics(clock: Clock, write: (line: string) => void): Metrics {
  const metrics = new EmbeddedMetrics({ namespace: METRICS_NAMESPACE });
  // The name of the service would be one more dimension, and no alarm would find the metric.
  metrics.clearDefaultDimensions();
  return {
    emit(dimensions, values) {
      metrics.addDimensions({ ...dimensions });
      metrics.setTimestamp(clock.now());
      for (const [name, value] of Object.entries(values)) metrics.addMetric(name, MetricUnit.NoUnit, value);
      write(JSON.stringify(metrics.serializeMetrics()));
      metrics.clearMetrics();
      metrics.clearDimensions();
    },
  };
}
