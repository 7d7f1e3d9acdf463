import { GatehouseError } from '#domain/error.ts';
import {
  checkTransaction,
  type Condition,
  type Item,
  type Key,
  keyOf,
  keyText,
  type Write,
} from '#domain/ledger/item.ts';
import type { Ledger, TransactionResult } from '#ports/ledger.ts';

/** A ledger in memory, which passes the same contract suite as DynamoDB's. */
export function memoryLedger(): Ledger & { readonly items: ReadonlyMap<string, Item> } {
  const items = new Map<string, Item>();
  const tokens = new Map<string, string>();
  return {
    items,
    get(key: Key) {
      return Promise.resolve(structuredClone(items.get(keyText(key))));
    },
    query(pk, range = {}) {
      const found = [...items.values()]
        .filter((item) => item.pk === pk)
        .filter((item) => range.from === undefined || item.sk >= range.from)
        .filter((item) => range.to === undefined || item.sk <= range.to)
        .toSorted((a, b) => (a.sk < b.sk ? -1 : 1));
      if (range.newestFirst === true) found.reverse();
      return Promise.resolve(structuredClone(found.slice(0, range.limit)));
    },
    async transact(writes: readonly Write[], token: string): Promise<TransactionResult> {
      checkTransaction(writes, token);
      const body = JSON.stringify(writes);
      const seen = tokens.get(token);
      if (seen !== undefined) {
        if (seen !== body) {
          throw new GatehouseError('TOKEN_REUSED', 'the idempotency token was used with another body', { token });
        }
        return { kind: 'committed' };
      }
      const failed = writes
        .filter((write) => write.condition !== undefined && !holds(write.condition, items.get(keyText(keyOf(write)))))
        .map(keyOf);
      if (failed.length > 0) return { kind: 'condition-failed', failed };
      for (const write of writes) {
        if (write.kind === 'put') items.set(keyText(write.item), structuredClone(write.item));
      }
      tokens.set(token, body);
      return { kind: 'committed' };
    },
  };
}

function holds(condition: Condition, item: Item | undefined): boolean {
  switch (condition.kind) {
    case 'absent':
      return item === undefined;
    case 'equals':
      return item !== undefined && Object.entries(condition.values).every(([name, value]) => item[name] === value);
  }
}
