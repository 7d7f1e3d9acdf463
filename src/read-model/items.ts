import type { z } from 'zod';
import { type Key, withoutKey } from '#domain/ledger/item.ts';
import type { LedgerRange, ReadableLedger } from '#ports/ledger.ts';

/** The document under a key, parsed by its schema; undefined where there is none. */
export async function find<T>(
  ledger: Pick<ReadableLedger, 'get'>,
  key: Key,
  schema: z.ZodType<T>,
): Promise<T | undefined> {
  const item = await ledger.get(key);
  return item === undefined ? undefined : withoutKey(schema, item);
}

/** The documents under many keys, in the order of the keys. */
export async function findEach<T>(
  ledger: Pick<ReadableLedger, 'getMany'>,
  keys: readonly Key[],
  schema: z.ZodType<T>,
): Promise<readonly (T | undefined)[]> {
  const items = await ledger.getMany(keys);
  return items.map((item) => (item === undefined ? undefined : withoutKey(schema, item)));
}

/** The documents of a partition of the ledger, in the order of their sort keys. */
export async function list<T>(
  ledger: Pick<ReadableLedger, 'query'>,
  pk: string,
  schema: z.ZodType<T>,
  range?: LedgerRange,
): Promise<T[]> {
  return (await ledger.query(pk, range)).map((item) => withoutKey(schema, item));
}

/** The range of the sort keys that begin with a text. */
export function startingWith(text: string): LedgerRange {
  return { from: text, to: `${text}\uFFFF` };
}

/** Sorts what has an instant, newest first. */
export function newestFirst<T>(values: readonly T[], instantOf: (value: T) => string): readonly T[] {
  return values.toSorted((a, b) => (instantOf(a) < instantOf(b) ? 1 : -1));
}
