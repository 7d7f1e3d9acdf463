import { randomUUID } from 'node:crypto';
import { GatehouseError } from '#domain/error.ts';
import type { Ledger } from '#ports/ledger.ts';

/**
 * What may befall a call of a ledger that is somewhere else. The caller gets a fault each time; what became of
 * the call is another matter:
 * - `lost`: it never arrived;
 * - `busy`: conflicts or throttling outlasted every attempt, so that it took no effect;
 * - `unanswered`: it took effect, the answer got lost;
 * - `outlived`: the same, and the ledger has forgotten the token by the time the caller asks again;
 * - `late`: it takes effect just before the n-th call after it, whatever has happened in between.
 */
export type LedgerFault = 'lost' | 'busy' | 'unanswered' | 'outlived' | { readonly late: number };

/** A ledger whose calls meet faults, as `next` says; `settle` lets what is still on its way arrive. */
export function faulty(
  ledger: Ledger,
  next: (call: 'read' | 'transact') => LedgerFault | undefined,
): Ledger & { settle(): Promise<void> } {
  let underWay: readonly { readonly left: number; readonly perform: () => Promise<unknown> }[] = [];
  const arrive = async (calls: number): Promise<void> => {
    const moved = underWay.map(({ left, perform }) => ({ left: left - calls, perform }));
    underWay = moved.filter(({ left }) => left > 0);
    for (const { left, perform } of moved) if (left <= 0) await perform();
  };
  const read = async <T>(perform: () => Promise<T>): Promise<T> => {
    await arrive(1);
    const fault = next('read');
    if (fault === undefined) return perform();
    throw told(fault);
  };
  return {
    get: (key) => read(() => ledger.get(key)),
    getMany: (keys) => read(() => ledger.getMany(keys)),
    query: (pk, range) => read(() => ledger.query(pk, range)),
    async transact(writes, token) {
      await arrive(1);
      const fault = next('transact');
      if (fault === undefined) return ledger.transact(writes, token);
      if (fault === 'unanswered') await ledger.transact(writes, token);
      if (fault === 'outlived') await ledger.transact(writes, randomUUID());
      if (typeof fault === 'object')
        underWay = [...underWay, { left: fault.late, perform: () => ledger.transact(writes, token) }];
      throw told(fault);
    },
    settle: () => arrive(Number.POSITIVE_INFINITY),
  };
}

function told(fault: LedgerFault): GatehouseError {
  return fault === 'busy'
    ? new GatehouseError('LEDGER_BUSY', 'the ledger did not come to rest; try again')
    : new GatehouseError('LEDGER_UNANSWERED', 'the ledger did not answer in time');
}
