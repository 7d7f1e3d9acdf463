import { z } from 'zod';
import type { LoadFinding } from '#domain/attestation/finding.ts';
import { Count, Measure, type Reading, refused, said, shaped } from './reading.ts';

const Report = z.object({
  duration: z.number().positive(),
  errors: Count,
  timeouts: Count,
  mismatches: Count,
  non2xx: Count,
  '1xx': Count,
  '2xx': Count,
  '3xx': Count,
  '4xx': Count,
  '5xx': Count,
  latency: z.object({ p50: Measure, p99: Measure, max: Measure }),
  requests: z.object({ total: Count, sent: Count }),
});

/**
 * `autocannon --json`. `requests.total` counts answers, `errors` what had none, time-outs included; what was on its way when the
 * run ended is neither.
 * Source: https://github.com/mcollina/autocannon#autocannonopts-cb
 */
export function readAutocannon(value: unknown): Reading {
  const report = shaped(Report, value, 'autocannon');
  if (report.kind === 'refused') return report;
  const { duration, errors, timeouts, mismatches, non2xx, latency, requests, ...classes } = report.value;
  const answers = Object.values(classes).reduce((sum, each) => sum + each, 0);
  const wrong = (
    [
      [answers !== requests.total, `requests.total is ${requests.total}, the classes of status count ${answers}`],
      [non2xx !== answers - classes['2xx'], `non2xx is ${non2xx}, of ${answers} answers ${classes['2xx']} are 2xx`],
      [timeouts > errors, `timeouts are ${timeouts}, errors with them ${errors}`],
      [requests.sent < requests.total, `requests.sent is ${requests.sent}, answers are ${requests.total}`],
      [mismatches > requests.total, `mismatches are ${mismatches}, answers ${requests.total}`],
      [latency.p50 > latency.p99 || latency.p99 > latency.max, 'latency: p50, p99 and max do not ascend'],
    ] as const
  ).find(([holds]) => holds);
  if (wrong !== undefined) return refused('report-consistent', `autocannon: ${wrong[1]}`);
  // An answer may be both of a wrong status and of a wrong body.
  const bad = Math.min(requests.total, non2xx + mismatches);
  const finding: LoadFinding = {
    kind: 'load',
    requests: requests.total + errors,
    failed: bad + errors,
    seconds: duration,
    throughput: (requests.total - bad) / duration,
    latencyMs: requests.total === 0 ? { p50: null, p99: null } : { p50: latency.p50, p99: latency.p99 },
  };
  return said(finding);
}
