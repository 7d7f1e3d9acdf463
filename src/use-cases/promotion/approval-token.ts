import { textOf } from '#domain/ledger/item.ts';
import { keys } from '#domain/ledger/keys.ts';
import type { Promotion } from '#domain/promotion/promotion.ts';
import type { Ledger } from '#ports/ledger.ts';
import type { StateMachines } from '#ports/state-machines.ts';

/** What the waiting state learns. */
export type ApprovalAnswer = 'approved' | 'rejected' | 'superseded' | 'expired';

/** Returns the token with which a promotion waits for people; harmless when nobody waits, and repeated by the reconciler. */
export async function returnApprovalToken(
  deps: { readonly ledger: Ledger; readonly machines: StateMachines },
  promotion: Promotion,
  status: ApprovalAnswer,
): Promise<'returned' | 'gone'> {
  const item = await deps.ledger.get(keys.task('approval', promotion.promotion));
  if (item === undefined) return 'gone';
  return deps.machines.succeed(textOf(item, 'token'), { status });
}
