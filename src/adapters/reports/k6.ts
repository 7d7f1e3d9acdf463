import { z } from 'zod';
import type { LoadFinding } from '#domain/attestation/finding.ts';
import { Count, Measure, type Reading, type Refused, refused, said, shaped } from './reading.ts';

const Trend = z.object({ med: Measure, 'p(99)': Measure, max: Measure }).partial();
type Trend = z.infer<typeof Trend>;

const Metrics = z.object({
  http_reqs: z.object({ count: Count, rate: Measure }),
  // Of a rate k6 counts what was true as `passes`: of this one, what failed.
  http_req_failed: z.object({ passes: Count, fails: Count }),
  http_req_duration: Trend,
  /** The latencies of those that did not fail; k6 has it by default. */
  'http_req_duration{expected_response:true}': Trend.optional(),
});

const Report = z.object({
  metrics: z.record(z.string(), z.unknown()),
  state: z.object({ testRunDurationMs: z.number().positive() }).optional(),
});

/** How far a rate may be from count by seconds: k6 takes the duration of the two at different moments. */
const TOLERANCE = 0.02;

/**
 * What k6 writes by `--summary-export`, and what it gives to `handleSummary`, where the numbers of a metric are in `values` and the
 * duration is told. The latencies are of the answers that k6 expected, where it tells them apart.
 * Source: https://grafana.com/docs/k6/latest/results-output/end-of-test/custom-summary/
 */
export function readK6(value: unknown): Reading {
  const report = shaped(Report, value, 'k6');
  if (report.kind === 'refused') return report;
  const { state } = report.value;
  const numbers = Object.fromEntries(
    Object.keys(Metrics.shape).map((name) => [name, numbersOf(report.value.metrics[name])]),
  );
  const metrics = shaped(Metrics, numbers, 'k6, metrics');
  if (metrics.kind === 'refused') return metrics;
  const { http_reqs: asked, http_req_failed: failing } = metrics.value;
  if (asked.count !== failing.passes + failing.fails)
    return refused(
      'report-consistent',
      `k6: http_reqs counts ${asked.count}, http_req_failed ${failing.passes} of ${failing.passes + failing.fails}`,
    );
  if (asked.count === 0 || asked.rate === 0)
    return refused('report-complete', 'k6: http_reqs is 0', 'run a load test that requests something');
  const seconds = state === undefined ? asked.count / asked.rate : state.testRunDurationMs / 1000;
  if (!Number.isFinite(seconds) || Math.abs(asked.rate * seconds - asked.count) > TOLERANCE * asked.count)
    return refused('report-consistent', `k6: ${asked.count} in ${seconds} s is no rate of ${asked.rate}`);

  const answered = asked.count - failing.passes;
  const latency = metrics.value['http_req_duration{expected_response:true}'] ?? metrics.value.http_req_duration;
  const finding: LoadFinding = {
    kind: 'load',
    requests: asked.count,
    failed: failing.passes,
    seconds,
    throughput: answered / seconds,
    latencyMs: answered === 0 ? { p50: null, p99: null } : { p50: latency.med ?? null, p99: latency['p(99)'] ?? null },
  };
  return descending(latency) ?? said(finding);
}

/** A metric's numbers: in `values` of what `handleSummary` is given, in the metric itself of `--summary-export`. */
function numbersOf(metric: unknown): unknown {
  return typeof metric === 'object' && metric !== null && 'values' in metric ? metric.values : metric;
}

function descending({ med, max, 'p(99)': p99 }: Trend): Refused | undefined {
  const told = [med, p99, max].filter((each) => each !== undefined);
  if (told.every((each, index) => index === 0 || (told[index - 1] ?? 0) <= each)) return undefined;
  return refused('report-consistent', `k6: med ${med}, p(99) ${p99} and max ${max} do not ascend`);
}
