import { isDeepStrictEqual } from 'node:util';
import { GatehouseError } from '#domain/error.ts';
import {
  checkTransaction,
  type Condition,
  type Item,
  type Json,
  type Key,
  keyOf,
  keyText,
  type Write,
} from '#domain/ledger/item.ts';
import type { Ledger, TransactionResult } from '#ports/ledger.ts';

/** A ledger in memory, which passes the same contract suite as DynamoDB's. Items are frozen: they are given out as they are held. It may begin where another one stands. */
export function memoryLedger(from?: {
  readonly items: ReadonlyMap<string, Item>;
}): Ledger & { readonly items: ReadonlyMap<string, Item> } {
  const items = new Map<string, Item>();
  const sortKeys = new Map<string, string[]>();
  const tokens = new Map<string, readonly Write[]>();
  const set = (item: Item): void => {
    const text = keyText(item);
    if (!items.has(text)) {
      const sks = sortKeys.get(item.pk) ?? [];
      sks.splice(firstFrom(sks, item.sk), 0, item.sk);
      sortKeys.set(item.pk, sks);
    }
    items.set(text, item);
  };
  from?.items.forEach(set);
  return {
    items,
    get: async (key) => items.get(keyText(key)),
    getMany: async (keys) => keys.map((key) => items.get(keyText(key))),
    async query(pk, { from, to, limit, newestFirst = false } = {}) {
      const sks = sortKeys.get(pk) ?? [];
      const start = from === undefined ? 0 : firstFrom(sks, from);
      // The first key behind `to`: nothing sorts between a text and the same text with one more null character.
      const end = to === undefined ? sks.length : firstFrom(sks, `${to}\0`);
      const found = sks.slice(start, end);
      if (newestFirst) found.reverse();
      return found.slice(0, limit).flatMap((sk) => items.get(keyText({ pk, sk })) ?? []);
    },
    async transact(given, token): Promise<TransactionResult> {
      checkTransaction(given, token);
      const writes = given.map((write) => frozen(write as unknown as Json) as unknown as Write);
      const seen = tokens.get(token);
      if (seen !== undefined) {
        if (!isDeepStrictEqual(seen, writes)) {
          throw new GatehouseError('TOKEN_REUSED', 'the idempotency token was used with another body', { token });
        }
        return { kind: 'committed' };
      }
      const failed: Key[] = writes
        .filter((write) => write.condition !== undefined && !holds(write.condition, items.get(keyText(keyOf(write)))))
        .map(keyOf);
      if (failed.length > 0) return { kind: 'condition-failed', failed };
      for (const write of writes) if (write.kind === 'put') set(write.item);
      tokens.set(token, writes);
      return { kind: 'committed' };
    },
  };
}

/** The index of the first of sorted texts that is not before the given one. */
function firstFrom(sorted: readonly string[], text: string): number {
  let [low, high] = [0, sorted.length];
  // What is appended in order, as chains and days are, goes to the end.
  const last = sorted.at(-1);
  if (last === undefined || last < text) return high;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? '') < text) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** A frozen copy. @throws GatehouseError `BAD_ITEM` for what is no JSON, which DynamoDB's client refuses too */
function frozen(value: Json): Json {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (Array.isArray(value)) return Object.freeze(value.map(frozen));
  if (typeof value !== 'object') throw new GatehouseError('BAD_ITEM', `${String(value)} is no JSON`, {});
  const copy: Record<string, Json> = {};
  for (const [name, each] of Object.entries(value)) copy[name] = frozen(each);
  return Object.freeze(copy);
}

function holds(condition: Condition, item: Item | undefined): boolean {
  switch (condition.kind) {
    case 'absent':
      return item === undefined;
    case 'equals':
    case 'absent-or-equals': {
      if (item === undefined) return condition.kind === 'absent-or-equals';
      for (const name in condition.values) if (item[name] !== condition.values[name]) return false;
      return true;
    }
  }
}
