import { partitionItem } from '#domain/data/partition-item.ts';
import { digestOf } from '#domain/canonical/digest.ts';
import {
  addDays,
  type AdmittedPartition,
  daysBetween,
  partitionDigest,
  type PartitionKind,
} from '#domain/data/partition.ts';
import { keys } from '#domain/ledger/keys.ts';
import type { Ledger } from '#ports/ledger.ts';
import { operationName } from '#use-cases/audit/record-change.ts';
import { MODEL, START } from './_environments.ts';

/** Admits partitions of both kinds for some days, as admission would. */
export async function admitDays(
  ledger: Ledger,
  first: string,
  last: string,
  { mark = '', at = START, content }: { readonly mark?: string; readonly at?: number; readonly content?: string } = {},
): Promise<void> {
  const admit = async (kind: PartitionKind, day: string): Promise<void> => {
    const key = keys.partition(MODEL, kind, day);
    const objects = [
      {
        bucket: 'landing',
        key: `toy/${kind}/dt=${day}/part.parquet`,
        versionId: '1',
        sha256: digestOf(content ?? `${kind} ${day}${mark}`),
        size: 9,
      },
    ];
    const version = Number((await ledger.get(key))?.['version'] ?? 0) + 1;
    const partition: AdmittedPartition = {
      formatVersion: 1,
      model: MODEL,
      kind,
      day,
      version,
      digest: partitionDigest(objects),
      objects,
      admittedAt: new Date(at).toISOString(),
    };
    const admission = partitionItem(keys.partitionVersion(MODEL, kind, day, version), partition);
    await ledger.transact(
      [
        { kind: 'put', item: partitionItem(key, partition) },
        { kind: 'put', item: admission },
      ],
      operationName('admit', kind, day, content ?? mark),
    );
  };
  for (const day of daysBetween(first, last)) await admit('events', day);
  for (const day of daysBetween(addDays(first, 1), last)) await admit('labels', day);
}
