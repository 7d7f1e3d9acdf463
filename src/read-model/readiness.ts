import { keys } from '#domain/ledger/keys.ts';
import { Readiness } from '#domain/rollback-readiness/readiness.ts';
import type { ReadableLedger } from '#ports/ledger.ts';
import { find } from './items.ts';

/** What the newest check said of the release that a rollback would go to. */
export async function readReadiness(
  ledger: Pick<ReadableLedger, 'get'>,
  model: string,
): Promise<Readiness | undefined> {
  return find(ledger, keys.readiness(model), Readiness);
}
