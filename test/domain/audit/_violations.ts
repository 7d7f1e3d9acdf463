import { expect } from 'vitest';
import type { LedgerState } from '#domain/audit/invariant.ts';
import { checkInvariants } from '#domain/audit/invariants.ts';
import { digestOf } from '#domain/canonical/digest.ts';
import { seal } from './_state.ts';

/** The invariants that do not hold. */
export const violated = (state: LedgerState): readonly string[] =>
  checkInvariants(state)
    .filter(({ found }) => found.length > 0)
    .map(({ invariant }) => invariant);

/** The list with the item at a place (counted from the end if negative) replaced. */
export const changed = <T>(list: readonly T[], at: number, change: (item: T) => T): T[] => {
  const index = at < 0 ? list.length + at : at;
  return list.map((item, position) => (position === index ? change(item) : item));
};

/** The chain with one record's text changed, and its hash adapted to it. */
export const rewritten = (state: LedgerState, seq: number, from: string, to: string): LedgerState['stored'] =>
  changed(state.stored, seq, (record) => {
    const document = record.document.replace(from, to);
    expect(document).not.toBe(record.document);
    return { ...record, document, hash: digestOf(document) };
  });

export function published(state: LedgerState, seq: number, envelope: ReturnType<typeof seal>): Partial<LedgerState> {
  return {
    published: state.published && {
      ...state.published,
      records: changed(state.published.records, seq, () => ({ seq, envelope })),
    },
  };
}
