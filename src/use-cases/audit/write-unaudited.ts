import { GatehouseError } from '#domain/error.ts';
import { keyOf, keyText, type Write } from '#domain/ledger/item.ts';
import { authorityKindOf } from '#domain/ledger/keys.ts';
import type { Ledger, TransactionResult } from '#ports/ledger.ts';

/**
 * Writes what decides nothing (book-keeping, the catalogue) without an audit record. What was decided is written by
 * `recordChange` alone: a governed item that no record commits to could not be told from a forged one.
 * @throws GatehouseError `AUDIT_REQUIRED`
 */
export async function writeUnaudited(
  ledger: Ledger,
  writes: readonly Write[],
  token: string,
): Promise<TransactionResult> {
  const audited = writes.find((write) => {
    const standing = authorityKindOf(keyOf(write));
    return write.kind === 'put' && (standing === 'governed' || standing === 'chain');
  });
  if (audited === undefined) return ledger.transact(writes, token);
  const key = keyText(keyOf(audited));
  throw new GatehouseError('AUDIT_REQUIRED', `${key} is written together with its audit record only`, { key });
}
