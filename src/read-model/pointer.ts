import { Digest } from '#domain/canonical/digest.ts';
import { keys } from '#domain/ledger/keys.ts';
import { Pointer } from '#domain/promotion/pointer.ts';
import type { ReadableLedger } from '#ports/ledger.ts';
import { find } from './items.ts';

/** What an environment serves of a model. */
export async function readPointer(ledger: ReadableLedger, model: string): Promise<Pointer | undefined> {
  return find(ledger, keys.pointer(model), Pointer);
}

/** The releases that were rolled back in an environment. */
export async function readQuarantined(ledger: ReadableLedger, model: string): Promise<readonly Digest[]> {
  return (await ledger.query(keys.quarantined(model))).map((item) => Digest.parse(item['release']));
}

/** Whether a release was rolled back in an environment once. */
export async function isQuarantined(ledger: ReadableLedger, model: string, release: Digest): Promise<boolean> {
  return (await ledger.get(keys.quarantine(model, release))) !== undefined;
}
