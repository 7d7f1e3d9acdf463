import type { z } from 'zod';
import { Approval } from '../approval/approval.ts';
import { Digest } from '../canonical/digest.ts';
import { StoredEvidence } from '../gates/evidence.ts';
import { type Item, keyText } from '../ledger/item.ts';
import { authorityOf } from '../ledger/keys.ts';
import { Pointer } from '../promotion/pointer.ts';
import { Lock, Promotion } from '../promotion/promotion.ts';
import { isActive } from '../promotion/quarantine.ts';
import type { LedgerState } from './invariant.ts';

type Governed = Pick<
  LedgerState,
  'standing' | 'unreadable' | 'pointer' | 'lock' | 'promotions' | 'evidence' | 'approvals' | 'quarantined'
>;

/** What the invariants look at, read from the items that stand in a ledger; what cannot be read is named, not thrown. */
export function governedState(standing: readonly Item[]): Governed {
  const unreadable: string[] = [];
  const under = Map.groupBy(standing, ({ pk }) => authorityOf(pk));
  const all = <T>(authority: string, schema: z.ZodType<T>): readonly T[] =>
    (under.get(authority) ?? []).flatMap((item) => {
      const { pk: _pk, sk: _sk, ...document } = item;
      const { success, data: value, error } = schema.safeParse(document);
      if (success) return [value];
      const [issue] = error.issues;
      unreadable.push(`${keyText(item)}: cannot be read: ${issue?.path.join('.')}: ${issue?.message}`);
      return [];
    });
  return {
    standing,
    unreadable,
    pointer: all('POINTER', Pointer)[0],
    lock: all('LOCK', Lock)[0],
    promotions: all('PROMOTION', Promotion),
    evidence: all('EVIDENCE', StoredEvidence),
    approvals: all('APPROVAL', Approval),
    quarantined: (under.get('QUARANTINE') ?? [])
      .filter(isActive)
      .flatMap((item) => Digest.safeParse(item['release']).data ?? []),
  };
}
