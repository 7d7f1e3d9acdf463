import { canonicalJson } from '../canonical/digest.ts';
import { type Item, type Json, keyText } from '../ledger/item.ts';
import { keys } from '../ledger/keys.ts';

/** A record as far as a replay needs it. */
export interface ReplayedRecord {
  readonly model: string;
  readonly seq: number;
  readonly hash: string;
  readonly operation: string;
  readonly at: string;
  /** The governed items that it put. */
  readonly changed: readonly Item[];
}

/** An item as the chain left it, and the record that did. */
export interface ReplayedItem {
  readonly item: Item;
  readonly by: number;
}

/** The ledger that a chain leads to: each item as the last record that put it left it, by key. */
export function replay(records: readonly ReplayedRecord[]): ReadonlyMap<string, ReplayedItem> {
  const items = new Map<string, ReplayedItem>();
  for (const { model, seq, hash, operation, at, changed } of records) {
    const put = (item: Item): void => void items.set(keyText(item), { item, by: seq });
    changed.forEach(put);
    put({ ...keys.operation(model, operation), seq, hash, at });
  }
  return items;
}

/** Where what stands in a ledger is not what its chain leads to, one line per item; the keys name the items. */
export function replayDifferences(
  replayed: ReadonlyMap<string, ReplayedItem>,
  standing: readonly Item[],
): readonly string[] {
  const found: string[] = [];
  const seen = new Set<string>();
  for (const item of standing) {
    const key = keyText(item);
    const left = replayed.get(key);
    seen.add(key);
    if (left === undefined) found.push(`${key}: no record put it there`);
    else if (!isSame(item, left.item)) found.push(...itemDifferences(key, item, left));
  }
  const gone = [...replayed].filter(([key]) => !seen.has(key));
  return [...found, ...gone.map(([key, { by }]) => `${key}: record ${by} put it there, and it is gone`)];
}

/** Whether two JSON values are equal, in whatever order their names stand. */
function isSame(one: Json | undefined, other: Json | undefined): boolean {
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return one === other;
  const names = Object.keys(one);
  if (Array.isArray(one) !== Array.isArray(other) || names.length !== Object.keys(other).length) return false;
  const [left, right] = [one, other] as readonly Readonly<Record<string, Json>>[];
  return names.every((name) => isSame(left?.[name], right?.[name]));
}

function itemDifferences(key: string, item: Item, { item: left, by }: ReplayedItem): readonly string[] {
  return [...new Set([...Object.keys(left), ...Object.keys(item)])].sort().flatMap((name) => {
    const [is, was] = [item[name], left[name]].map((value) => (value === undefined ? 'nothing' : canonicalJson(value)));
    return is === was ? [] : [`${key}: ${name} is ${shown(is)}, record ${by} left ${shown(was)}`];
  });
}

function shown(text = ''): string {
  return text.length > 120 ? `${text.slice(0, 120)}…` : text;
}
