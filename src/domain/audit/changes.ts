import { z } from 'zod';
import { canonicalJson, digestOf } from '../canonical/digest.ts';
import { GatehouseError } from '../error.ts';
import type { Item, Write } from '../ledger/item.ts';
import { authorityKindOf } from '../ledger/keys.ts';

/** The changes of an act that puts nothing governed. */
export const NO_CHANGES = '[]';
export const NOTHING_CHANGED = digestOf(NO_CHANGES);

/** DynamoDB takes items of 400 KB; a chain's item holds its record and some names beside the changes. */
const MAX_CHANGES_BYTES = 390 * 1024;

/**
 * What a change puts under governed authorities, as the canonical JSON to which its record commits: whole items, in the
 * order in which the change puts them.
 * @throws GatehouseError `CHANGE_TOO_LARGE`, `CHAIN_RESERVED`
 */
export function changesOf(writes: readonly Write[]): string {
  const items = writes.filter((write) => write.kind === 'put').map(({ item }) => item);
  const reserved = items.find((item) => authorityKindOf(item) === 'chain');
  if (reserved !== undefined)
    throw new GatehouseError('CHAIN_RESERVED', `no change writes ${reserved.pk}: it follows from the record`);
  const changed = items.filter((item) => authorityKindOf(item) === 'governed');
  const text = changed.length === 0 ? NO_CHANGES : canonicalJson(changed);
  const bytes = Buffer.byteLength(text);
  if (bytes <= MAX_CHANGES_BYTES) return text;
  throw new GatehouseError('CHANGE_TOO_LARGE', `a change puts ${bytes} bytes of items, at most ${MAX_CHANGES_BYTES}`, {
    bytes,
  });
}

/** The items that a record's changes put. @throws when the text is not such a list */
export function changedItems(changes: string): readonly Item[] {
  return Items.parse(JSON.parse(changes));
}

const Items = z.array(z.custom<Item>((value) => Key.safeParse(value).success));
const Key = z.object({ pk: z.string(), sk: z.string() });
