import { GatehouseError } from '../../error.ts';
import { type Item, keyText } from '../../ledger/item.ts';
import type { ReadRecord } from '../invariant.ts';

/** The governed items as records have left them, by their keys. */
export type Items = ReadonlyMap<string, Item>;

/** Judges each record, and what it put, by the governed items as its predecessors have left them. */
export function atEach(
  records: readonly ReadRecord[],
  judge: (items: Items, record: ReadRecord['record'], changed: readonly Item[]) => readonly string[],
): readonly string[] {
  const items = new Map<string, Item>();
  return records.flatMap(({ record, changed }) => {
    // Torn changes are another invariant's finding: they rebuild nothing here.
    const found = readable(record, () => judge(items, record, changed ?? []));
    for (const item of changed ?? []) items.set(keyText(item), item);
    return found;
  });
}

/** What cannot be read is named, not thrown. */
function readable({ seq }: ReadRecord['record'], judge: () => readonly string[]): readonly string[] {
  try {
    return judge();
  } catch (error) {
    if (error instanceof GatehouseError) return [`what record ${seq} rests on cannot be read: ${error.message}`];
    throw error;
  }
}
