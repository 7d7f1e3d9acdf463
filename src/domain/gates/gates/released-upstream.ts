import { z } from 'zod';
import { Digest } from '../../canonical/digest.ts';
import { Day } from '../../model/definition.ts';
import { Version } from '../../release/registration.ts';
import type { GateResult } from '../gate.ts';

/** What a peer's signed chain said of a release: dev's offer or baseline, or the promotion in the environment before. */
export const Upstream = z.strictObject({
  environment: z.string().min(1),
  code: z.enum(['RELEASE_OFFERED', 'BASELINE_REGISTERED', 'RELEASE_PROMOTED']),
  release: Digest,
  kind: z.enum(['trained', 'baseline']),
  version: Version,
  asOf: Day,
  seq: z.int().nonnegative(),
  /** The hash of the record, which was signed by the peer. */
  record: Digest,
  /** The hash of the record by which the peer took the release back since, or null. */
  withdrawn: Digest.nullable(),
});
export type Upstream = z.infer<typeof Upstream>;

/** Did the environment before this one let the release through, by a record that it signed? */
export function releasedUpstream(upstream: Upstream | undefined, release: Digest, source: string): GateResult {
  if (upstream === undefined)
    return { verdict: 'FAIL', reasons: [`${source} has not signed for this release`], numbers: {} };
  if (upstream.release !== release || upstream.environment !== source) {
    return {
      verdict: 'FAIL',
      reasons: [`the record is about ${upstream.release} in ${upstream.environment}`],
      numbers: {},
    };
  }
  if (upstream.withdrawn !== null) {
    const reason = `${upstream.environment} has taken the release back, record ${upstream.withdrawn.slice(0, 19)}`;
    return { verdict: 'FAIL', reasons: [reason], numbers: { seq: upstream.seq } };
  }
  return {
    verdict: 'PASS',
    reasons: [`${upstream.code} by ${upstream.environment}, record ${upstream.seq} (${upstream.record.slice(0, 19)})`],
    numbers: { seq: upstream.seq },
  };
}
