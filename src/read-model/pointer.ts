import { keys } from '#domain/ledger/keys.ts';
import { Pointer } from '#domain/promotion/pointer.ts';
import type { ReadableLedger } from '#ports/ledger.ts';
import { find } from './items.ts';

/** What an environment serves of a model. */
export async function readPointer(ledger: ReadableLedger, model: string): Promise<Pointer | undefined> {
  return find(ledger, keys.pointer(model), Pointer);
}
