import { z } from 'zod';
import { Digest } from '../../canonical/digest.ts';
import { Day } from '../../model/definition.ts';
import { Version } from '../../release/registration.ts';
import type { GateRemedy, GateResult } from '../gate.ts';

/** What a peer's signed chain said of a release: dev's registration or offer, or the promotion in the environment before. */
export const Upstream = z.strictObject({
  environment: z.string().min(1),
  code: z.enum(['RELEASE_REGISTERED', 'RELEASE_OFFERED', 'BASELINE_REGISTERED', 'RELEASE_PROMOTED']),
  release: Digest,
  kind: z.enum(['trained', 'baseline']),
  version: Version,
  asOf: Day,
  /** The evidence by which its data was accepted before it was trained, where the record names one. */
  dataCheck: Digest.exactOptional(),
  /** The commit that it was made from, where the record names one. */
  commit: z.string().min(1).exactOptional(),
  seq: z.int().nonnegative(),
  /** The hash of the record, which was signed by the peer. */
  record: Digest,
  /** The hash of the record by which the peer rolled the release back since, or null. */
  withdrawn: Digest.nullable(),
});
export type Upstream = z.infer<typeof Upstream>;

/** What would turn its verdict. */
export const releasedUpstreamRemedy: GateRemedy = () => 'let the environment before this one release it';

/**
 * Did the environment before this one let the release through, by a record that it signed? A hotfix comes from where it
 * was registered, whether it was offered or not; `skipped` is what the environment that it goes past says of it.
 */
export function releasedUpstream(
  upstream: Upstream | undefined,
  release: Digest,
  source: string,
  hotfix?: { readonly skipped: Upstream | undefined },
): GateResult {
  if (upstream === undefined)
    return { verdict: 'FAIL', reasons: [`${source} has not signed for this release`], numbers: {} };
  if (upstream.release !== release || upstream.environment !== source) {
    return {
      verdict: 'FAIL',
      reasons: [`the record is about ${upstream.release} in ${upstream.environment}`],
      numbers: {},
    };
  }
  for (const said of [upstream, hotfix?.skipped]) {
    if (said === undefined || said.withdrawn === null) continue;
    const reason = `${said.environment} has rolled the release back, record ${said.withdrawn.slice(0, 19)}`;
    return { verdict: 'FAIL', reasons: [reason], numbers: { seq: said.seq } };
  }
  if (upstream.code === 'RELEASE_REGISTERED' && hotfix === undefined) {
    const reason = `${upstream.environment} has registered the release, and let it through to nobody`;
    return { verdict: 'FAIL', reasons: [reason], numbers: { seq: upstream.seq } };
  }
  return {
    verdict: 'PASS',
    reasons: [`${upstream.code} by ${upstream.environment}, record ${upstream.seq} (${upstream.record.slice(0, 19)})`],
    numbers: { seq: upstream.seq },
  };
}
