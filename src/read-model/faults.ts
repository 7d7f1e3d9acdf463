import { z } from 'zod';
import { withoutKey } from '#domain/ledger/item.ts';
import { keys } from '#domain/ledger/keys.ts';
import type { ReadableLedger } from '#ports/ledger.ts';
import { find } from './items.ts';

/** The fault that an item of a function's work has, or had last (`code` null). */
export const KeptFault = z.object({
  model: z.string(),
  code: z.string().nullable(),
  since: z.iso.datetime(),
  isTold: z.boolean(),
});
export type KeptFault = z.infer<typeof KeptFault>;

/** The fault of an item of a function's work, where it has or had one. */
export async function findFault(ledger: ReadableLedger, by: string, item: string): Promise<KeptFault | undefined> {
  return find(ledger, keys.fault(by, item), KeptFault);
}

/** The faults of a function's work by the names of its items, each parsed by itself: one that cannot be read keeps nobody from the others. */
export async function listFaults(
  ledger: ReadableLedger,
  by: string,
): Promise<ReadonlyMap<string, { readonly read: () => KeptFault }>> {
  const items = await ledger.query(keys.faults(by));
  return new Map(items.map((item) => [item.sk, { read: () => withoutKey(KeptFault, item) }]));
}
