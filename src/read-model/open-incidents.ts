import { z } from 'zod';
import { keys } from '#domain/ledger/keys.ts';
import type { ReadableLedger } from '#ports/ledger.ts';
import { list } from './items.ts';

/** How many incidents of a model are not closed. */
export async function countOpenIncidents(ledger: ReadableLedger, model: string): Promise<number> {
  const { pk } = keys.incident(model, '');
  return (await list(ledger, pk, z.looseObject({ status: z.string() }))).filter(({ status }) => status !== 'closed')
    .length;
}
