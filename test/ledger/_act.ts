// An act of a ledger, and how it is read beside what was there before it.
import type { Item } from '#domain/ledger/item.ts';
import type { ChainRecord, Documents } from './_documents.ts';
import type { Reference } from './_reference.ts';

/** An act: its record, the governed items that it puts, and when; the reference still is as it was before it. */
export interface Act {
  readonly record: ChainRecord;
  readonly governed: readonly Item[];
  readonly now: string;
}
export type Broken = (what: string) => void;

/** The authority under which an item stands. */
export const authorityOf = ({ pk }: Item): string => pk.slice(0, pk.indexOf('#'));
/** What an act puts under an authority. */
export const of = <A extends keyof Documents>({ governed }: Act, authority: A): readonly Documents[A][] =>
  governed.filter((item) => authorityOf(item) === authority) as unknown as readonly Documents[A][];
/** What stood under a key before the act. */
export const before = <A extends keyof Documents>(
  own: Reference,
  authority: A,
  sk: string,
  within = '',
): Documents[A] | undefined => own.items.get(`${authority}#${within}toy ${sk}`) as unknown as Documents[A] | undefined;
export const text = (value: unknown): string => (typeof value === 'string' ? value : '');
