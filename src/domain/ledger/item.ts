import type { z } from 'zod';
import { parseDocument } from '../canonical/digest.ts';
import { GatehouseError } from '../error.ts';
import { checkItem } from '../limits.ts';

/** A value as JSON has it: what a ledger's item may hold. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };

/** An item's key. `pk` begins with the authority (`POINTER#`, `EVIDENCE#`, ...), so that IAM can part who may write what. */
export interface Key {
  readonly pk: string;
  readonly sk: string;
}

/** An item: a key and the document under it. */
export type Item = Key & { readonly [name: string]: Json };

type Values = Readonly<Record<string, string | number | boolean | null>>;

/**
 * What must hold of an item for a write to take effect: nothing is there, something is there whose named top-level
 * attributes equal the values given, or either of the two.
 */
export type Condition =
  | { readonly kind: 'absent' }
  | { readonly kind: 'equals'; readonly values: Values }
  | { readonly kind: 'absent-or-equals'; readonly values: Values };

/** One action of a transaction: put a whole item, or only check one. Nothing is ever deleted. */
export type Write =
  | { readonly kind: 'put'; readonly item: Item; readonly condition?: Condition }
  | { readonly kind: 'check'; readonly key: Key; readonly condition: Condition };

/** The most actions that DynamoDB takes in one transaction. */
export const MAX_ACTIONS = 100;

/** The key that a write touches. */
export function keyOf(write: Write): Key {
  return write.kind === 'put' ? { pk: write.item.pk, sk: write.item.sk } : write.key;
}

/** A key as one string, for messages and maps. */
export function keyText(key: Key): string {
  return `${key.pk} ${key.sk}`;
}

export const ABSENT: Condition = { kind: 'absent' };

/** The condition that an item is there with these values. */
export function equals(values: Values): Condition {
  return { kind: 'equals', values };
}

/** The condition that there is no item, or one with these values. */
export function absentOrEquals(values: Values): Condition {
  return { kind: 'absent-or-equals', values };
}

/** The longest idempotency token that DynamoDB takes. */
export const MAX_TOKEN = 36;

/** Refuses what DynamoDB refuses before it looks at any item. @throws GatehouseError `BAD_TRANSACTION`, `KEY_TOO_LONG`, `ITEM_TOO_LARGE` */
export function checkTransaction(writes: readonly Write[], token: string): void {
  const refuse = (why: string): GatehouseError => new GatehouseError('BAD_TRANSACTION', why, { token });
  if (writes.length === 0 || writes.length > MAX_ACTIONS) {
    throw refuse(`a transaction has 1 to ${MAX_ACTIONS} actions, not ${writes.length}`);
  }
  if (new Set(writes.map((write) => keyText(keyOf(write)))).size !== writes.length) {
    throw refuse('a transaction names no item twice');
  }
  for (const write of writes) if (write.kind === 'put') checkItem(write.item);
  if (token.length === 0 || token.length > MAX_TOKEN) throw refuse(`a token has 1 to ${MAX_TOKEN} characters`);
}

/** A ledger's item without its key, parsed by the schema of what it holds. */
export function withoutKey<T>(schema: z.ZodType<T>, item: Item): T {
  const { pk: _pk, sk: _sk, ...document } = item;
  return parseDocument(schema, document, keyText(item));
}

/** An item's attribute that must be a text. @throws GatehouseError `BAD_ITEM` */
export function textOf(item: Item, name: string): string {
  const value = item[name];
  if (typeof value === 'string') return value;
  throw new GatehouseError('BAD_ITEM', `${keyText(item)}: ${name} is no text`, { name });
}
