import { partitionIn } from '#domain/data/partition-item.ts';
import type { AdmittedPartition, PartitionKind } from '#domain/data/partition.ts';
import { keys } from '#domain/ledger/keys.ts';
import type { ReadableLedger } from '#ports/ledger.ts';

const KINDS = ['events', 'labels'] as const;

/** The newest version of a day's partition, where one was admitted. */
export async function findPartition(
  ledger: ReadableLedger,
  { model, kind, day }: Pick<AdmittedPartition, 'model' | 'kind' | 'day'>,
): Promise<AdmittedPartition | undefined> {
  const item = await ledger.get(keys.partition(model, kind, day));
  return item === undefined ? undefined : partitionIn(item);
}

/** The newest version of each admitted partition of a kind, in the order of the days. */
export async function readPartitions(
  ledger: ReadableLedger,
  model: string,
  kind: PartitionKind,
): Promise<readonly AdmittedPartition[]> {
  return (await ledger.query(keys.partitions(model, kind))).map((item) => partitionIn(item));
}

/** The newest day of a kind that was admitted, and when its first version was: a correction makes no day new. */
export async function findNewestDay(
  ledger: ReadableLedger,
  model: string,
  kind: PartitionKind,
): Promise<Pick<AdmittedPartition, 'day' | 'admittedAt'> | undefined> {
  const [newest] = await ledger.query(keys.partitions(model, kind), { newestFirst: true, limit: 1 });
  if (newest === undefined) return undefined;
  const first = await ledger.get(keys.partitionVersion(model, kind, newest.sk, 1));
  const { day, admittedAt } = partitionIn(first ?? newest);
  return { day, admittedAt };
}

/** The newest version of every admitted partition of a model. */
export async function readCatalogue(ledger: ReadableLedger, model: string): Promise<readonly AdmittedPartition[]> {
  return (await Promise.all(KINDS.map((kind) => readPartitions(ledger, model, kind)))).flat();
}

/** Every version of every partition of a model that was ever admitted. */
export async function readPartitionVersions(
  ledger: ReadableLedger,
  model: string,
): Promise<readonly AdmittedPartition[]> {
  const items = await Promise.all(KINDS.map((kind) => ledger.query(keys.partitionVersions(model, kind))));
  return items.flat().map((item) => partitionIn(item));
}

/** The first version of the events of some days, as far as there is one. */
export async function findFirstEvents(
  ledger: ReadableLedger,
  model: string,
  days: readonly string[],
): Promise<readonly AdmittedPartition[]> {
  const items = await ledger.getMany(days.map((day) => keys.partitionVersion(model, 'events', day, 1)));
  return items.flatMap((item) => (item === undefined ? [] : [partitionIn(item)]));
}
