import { GateId } from '#domain/gates/gate.ts';
import type { Item } from '#domain/ledger/item.ts';
import { governedPartitions, isOfModel, keys } from '#domain/ledger/keys.ts';
import type { ReadableLedger } from '#ports/ledger.ts';

/** Every item of a model that was put by an audited act, and the operations that were done. */
export async function readStandingItems(ledger: ReadableLedger, model: string): Promise<readonly Item[]> {
  const partitions = [...governedPartitions(model, GateId.options), keys.operation(model, '').pk];
  return (await Promise.all(partitions.map((pk) => ledger.query(pk)))).flat().filter((item) => isOfModel(item, model));
}
