import { OpenRefusal } from '#domain/data/open-refusal.ts';
import { keys } from '#domain/ledger/keys.ts';
import type { ReadableLedger } from '#ports/ledger.ts';
import { findEach, list } from './items.ts';

/** The refusals of a model's days that nothing has resolved yet. */
export async function readOpenRefusals(ledger: ReadableLedger, model: string): Promise<readonly OpenRefusal[]> {
  return (await list(ledger, keys.refusals(model), OpenRefusal)).filter(({ resolvedAt }) => resolvedAt === null);
}

/** The newest refusal of each of some days, open or resolved, in the order of the days. */
export async function findRefusals(
  ledger: ReadableLedger,
  model: string,
  kind: OpenRefusal['kind'],
  days: readonly string[],
): Promise<readonly (OpenRefusal | undefined)[]> {
  return findEach(
    ledger,
    days.map((day) => keys.refusal(model, kind, day)),
    OpenRefusal,
  );
}
