import { z } from 'zod';
import type { LoadFinding } from '../attestation/finding.ts';
import { document } from '../canonical/document.ts';
import { Digest } from '../canonical/digest.ts';
import { ModelName } from '../model/definition.ts';

const Count = z.int().nonnegative();

/** What a generator of load has measured. */
export const LoadMeasure = z.strictObject({
  /** Requests whose answer came, or could not come any more. */
  requests: Count,
  /** Requests without an answer, or with one that is not as it must be. */
  failed: Count,
  seconds: z.number().nonnegative(),
  /** Of answers of any kind, in milliseconds; null where there was none. */
  latencyMs: z
    .strictObject({
      p50: z.number().nonnegative(),
      p90: z.number().nonnegative(),
      p99: z.number().nonnegative(),
      max: z.number().nonnegative(),
    })
    .nullable(),
  /** Answers by status, what had none under `none`. */
  statuses: z.record(z.string(), Count),
  /** The first few kinds of what failed, in words. */
  failures: z.array(z.string().max(200)).max(5),
});
export type LoadMeasure = z.infer<typeof LoadMeasure>;

/** The report of a run of load on the endpoint of a release, as an object by digest. */
export const LoadReport = document(
  'report of a run of load',
  z.strictObject({
    formatVersion: z.literal(1),
    model: ModelName,
    release: Digest,
    generator: z.string().min(1),
    /** What each request asks for: the golden request, which is no prediction. */
    asks: z.literal('golden'),
    connections: z.int().positive(),
    measure: LoadMeasure,
  }),
);

/** What a run of load comes to. */
export function loadFinding({ requests, failed, seconds, latencyMs }: LoadMeasure): LoadFinding {
  return {
    kind: 'load',
    requests,
    failed,
    seconds,
    throughput: seconds > 0 ? (requests - failed) / seconds : 0,
    latencyMs: { p50: latencyMs?.p50 ?? null, p99: latencyMs?.p99 ?? null },
  };
}
