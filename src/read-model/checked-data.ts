import { z } from 'zod';
import { Digest } from '#domain/canonical/digest.ts';
import { keys } from '#domain/ledger/keys.ts';
import type { ReadableLedger } from '#ports/ledger.ts';
import { find } from './items.ts';

/** Where what the suites have said of a model's partitions stands. */
export const CheckedData = z.object({
  formatVersion: z.literal(1),
  model: z.string(),
  /** What the suites have said of each partition, as an object by digest. */
  document: Digest,
  /** A check that ended without a result: of what, and when. */
  unresolved: z.object({ data: Digest, at: z.iso.datetime() }).nullable(),
});
export type CheckedData = z.infer<typeof CheckedData>;

/** Where what the suites have said of a model's partitions stands, where they have said anything. */
export async function findCheckedData(ledger: ReadableLedger, model: string): Promise<CheckedData | undefined> {
  return find(ledger, keys.checkedData(model), CheckedData);
}
