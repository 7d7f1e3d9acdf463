import type { Item, Key, Write } from '#domain/ledger/item.ts';

/** What became of a transaction: it took effect whole, or not at all because the named conditions did not hold. */
export type TransactionResult =
  | { readonly kind: 'committed' }
  | { readonly kind: 'condition-failed'; readonly failed: readonly Key[] };

/** Which sort keys of a partition are read, `from` and `to` included, and how many of them. */
export interface LedgerRange {
  readonly from?: string;
  readonly to?: string;
  readonly limit?: number;
  readonly newestFirst?: boolean;
}

/** A ledger that can only be read. */
export type ReadableLedger = Pick<Ledger, 'get' | 'getMany' | 'query'>;

/** An environment's ledger: strongly consistent reads and conditional transactions over items. */
export interface Ledger {
  get(key: Key): Promise<Item | undefined>;
  /**
   * The items of many keys, in the order of the keys. Each is strongly consistent by itself; together they are no
   * snapshot: what must hold of several at once is a condition of the transaction.
   */
  getMany(keys: readonly Key[]): Promise<readonly (Item | undefined)[]>;
  /** The items of one partition in the order of their sort keys. */
  query(pk: string, range?: LedgerRange): Promise<readonly Item[]>;
  /**
   * All or nothing. The token makes a repetition of the same call harmless. Conflicts with other transactions are
   * retried inside; failed conditions never are. @throws GatehouseError `BAD_TRANSACTION` for what no ledger takes,
   * `TOKEN_REUSED` for another body under a token, `LEDGER_BUSY` when the conflicts outlast the attempts. After any
   * fault but the first two it may have taken effect: whoever asks again with the same token learns it.
   */
  transact(writes: readonly Write[], token: string): Promise<TransactionResult>;
}
