import { AutomaticRollback } from '#domain/alarm/alarm.ts';
import { keys } from '#domain/ledger/keys.ts';
import type { ReadableLedger } from '#ports/ledger.ts';
import { find } from './items.ts';

/** The newest rollback of a model that an alarm has triggered, where there was one. */
export async function findAutomaticRollback(
  ledger: Pick<ReadableLedger, 'get'>,
  model: string,
): Promise<AutomaticRollback | undefined> {
  return find(ledger, keys.automaticRollback(model), AutomaticRollback);
}
