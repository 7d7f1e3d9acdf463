import type { Refusal } from '../error.ts';
import type { Upstream } from '../gates/gates/released-upstream.ts';
import { equals, type Write } from '../ledger/item.ts';
import { keys } from '../ledger/keys.ts';
import type { Debt, Pointer } from './pointer.ts';

/** What the signed chains of dev and staging say of the digest of a debt. */
export interface Carriers {
  readonly dev: Upstream | undefined;
  readonly staging: Upstream | undefined;
}

/** Nothing is known of any digest. */
export const NO_CARRIERS: Carriers = { dev: undefined, staging: undefined };

/** Why a promotion has to wait for what a hotfix owes, or undefined: dev has to have registered its digest, and staging let it in. */
export function whyInDebt(
  pointer: Pointer | undefined,
  transition: string,
  { dev, staging }: Carriers,
): Refusal | undefined {
  const debt = pointer?.debt ?? null;
  if (debt === null || transition === 'hotfix') return undefined;
  const isOfDebt = (upstream: Upstream | undefined): upstream is Upstream => upstream?.release === debt.release;
  const lacking = [
    ...(isOfDebt(dev) ? [] : ['dev has not registered it']),
    ...(isOfDebt(staging)
      ? staging.withdrawn === null
        ? []
        : ['staging has taken it back']
      : ['staging has not let it in']),
  ];
  if (lacking.length === 0) return undefined;
  return {
    rule: 'hotfix-debt',
    found: `the hotfix ${debt.version} (${debt.release}) is in debt since ${debt.since}: ${lacking.join(', ')}`,
    remedy: `let staging carry ${debt.version} and ask again; or take the hotfix back`,
  };
}

/** The checks by which a transaction holds only while what paid a debt still stands. */
export function paidChecks(debt: Debt | null, model: string, { dev, staging }: Carriers): readonly Write[] {
  if (debt === null) return [];
  return [dev, staging].flatMap((upstream) =>
    upstream === undefined
      ? []
      : [
          {
            kind: 'check',
            key: keys.upstream(model, debt.release, upstream.environment),
            condition: equals({ record: upstream.record, withdrawn: null }),
          } as const,
        ],
  );
}
