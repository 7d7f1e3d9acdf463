import type { Refusal } from '../refusal/refusal.ts';
import type { Upstream } from '../gates/gates/released-upstream.ts';
import { equals, type Write } from '../ledger/item.ts';
import { keys } from '../ledger/keys.ts';
import type { PendingPropagation, Pointer } from './pointer.ts';

/** What the signed chains of dev and staging say of the digest of a pending propagation. */
export interface Propagation {
  readonly dev: Upstream | undefined;
  readonly staging: Upstream | undefined;
}

/** Nothing is known of any digest. */
export const NO_PROPAGATION: Propagation = { dev: undefined, staging: undefined };

/** Why a promotion waits for the propagation of a hotfix, or undefined: dev must have registered its digest, and staging promoted it. */
export function whyNotPropagated(
  pointer: Pointer | undefined,
  transition: string,
  { dev, staging }: Propagation,
): Refusal | undefined {
  const pendingPropagation = pointer?.pendingPropagation ?? null;
  if (pendingPropagation === null || transition === 'hotfix') return undefined;
  const isOfHotfix = (upstream: Upstream | undefined): upstream is Upstream =>
    upstream?.release === pendingPropagation.release;
  const lacking = [
    ...(isOfHotfix(dev) ? [] : ['dev has not registered it']),
    ...(isOfHotfix(staging)
      ? staging.withdrawn === null
        ? []
        : ['staging has rolled it back']
      : ['staging has not promoted it']),
  ];
  if (lacking.length === 0) return undefined;
  return {
    rule: 'hotfix-propagation',
    found: `the hotfix ${pendingPropagation.version} (${pendingPropagation.release}) is not yet propagated since ${pendingPropagation.since}: ${lacking.join(', ')}`,
    remedy: `promote ${pendingPropagation.version} to staging and request again; or roll the hotfix back`,
  };
}

/** The checks by which a transaction holds only while the propagation of a hotfix is still recorded. */
export function propagationChecks(
  pendingPropagation: PendingPropagation | null,
  model: string,
  { dev, staging }: Propagation,
): readonly Write[] {
  if (pendingPropagation === null) return [];
  return [dev, staging].flatMap((upstream) =>
    upstream === undefined
      ? []
      : [
          {
            kind: 'check',
            key: keys.upstream(model, pendingPropagation.release, upstream.environment),
            condition: equals({ record: upstream.record, withdrawn: null }),
          } as const,
        ],
  );
}
