import { z } from 'zod';
import { GatehouseError, type Refusal } from '#domain/error.ts';
import { AdmittedPartition, type ObjectReference, partitionDigest } from '#domain/data/partition.ts';
import { ABSENT, equals, unkey } from '#domain/ledger/item.ts';
import { keys } from '#domain/ledger/keys.ts';
import { Day } from '#domain/model/definition.ts';
import type { DeployedModels } from '#domain/model/deployed.ts';
import type { Clock } from '#ports/clock.ts';
import type { Ledger } from '#ports/ledger.ts';
import { operationName } from '#use-cases/audit/record-change.ts';

/** Where producers put their partitions. */
export interface Landing {
  /** The objects under a prefix, each read once and hashed. */
  list(prefix: string): Promise<readonly ObjectReference[]>;
}

export interface Admitting {
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly landing: Landing;
  readonly deployed: DeployedModels;
  /** Tells this environment that a model has a new partition. */
  announce(partition: AdmittedPartition): Promise<void>;
}

export type Admission =
  | { readonly kind: 'admitted'; readonly partitions: readonly AdmittedPartition[] }
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'ignored' }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

/**
 * Admits the partition whose ready marker was written: by reference, with versions and hashes. The same bytes again are
 * no news; other bytes are a correction, version n+1. Several models may read one source.
 */
export async function admitPartition(deps: Admitting, key: string): Promise<Admission> {
  const readers = deps.deployed.models.flatMap(({ definition }) =>
    (['events', 'labels'] as const)
      .filter((kind) => markerDay(definition[kind], key) !== undefined)
      .map((kind) => ({
        model: definition.name,
        kind,
        source: definition[kind],
        day: markerDay(definition[kind], key) ?? '',
      })),
  );
  if (readers.length === 0) return { kind: 'ignored' };
  const admitted: AdmittedPartition[] = [];
  for (const { model, kind, source, day } of readers) {
    if (!Day.safeParse(day).success)
      return refused('partition-day', `${key} names no day`, 'name partitions dt=YYYY-MM-DD');
    const prefix = `${source.source}/dt=${day}/`;
    const objects = (await deps.landing.list(prefix)).filter((object) => object.key.endsWith('.parquet'));
    if (objects.length === 0)
      return refused(
        'partition-whole',
        `${prefix} has a ready marker and no Parquet file`,
        'write the files before the marker',
      );
    const partition = await admit(deps, { model, kind, day, objects });
    if (partition !== undefined) admitted.push(partition);
  }
  return admitted.length > 0 ? { kind: 'admitted', partitions: admitted } : { kind: 'unchanged' };
}

async function admit(
  deps: Admitting,
  found: Pick<AdmittedPartition, 'model' | 'kind' | 'day' | 'objects'>,
): Promise<AdmittedPartition | undefined> {
  const key = keys.partition(found.model, found.kind, found.day);
  const digest = partitionDigest(found.objects);
  const item = await deps.ledger.get(key);
  const current = item === undefined ? undefined : unkey(AdmittedPartition, item);
  if (current?.digest === digest) return undefined;
  const version = (current?.version ?? 0) + 1;
  const partition: AdmittedPartition = {
    formatVersion: 1,
    ...found,
    version,
    digest,
    admittedAt: deps.clock.now().toISOString(),
  };
  const result = await deps.ledger.transact(
    [
      {
        kind: 'put',
        item: { ...key, ...partition },
        condition: current === undefined ? ABSENT : equals({ version: current.version }),
      },
      {
        kind: 'put',
        item: { ...keys.partitionVersion(found.model, found.kind, found.day, version), ...partition },
        condition: ABSENT,
      },
    ],
    operationName('admit', found.model, found.kind, found.day, version, digest, partition.admittedAt),
  );
  if (result.kind === 'condition-failed') {
    throw new GatehouseError(
      'ADMISSION_RACED',
      `${found.kind} of ${found.day} was admitted by another at the same time; look again`,
      { day: found.day },
    );
  }
  await deps.announce(partition);
  return partition;
}

/** The day of a ready marker of a source, or undefined when the key is not one. */
function markerDay(source: { readonly source: string; readonly readyMarker: string }, key: string): string | undefined {
  const start = `${source.source}/dt=`;
  const end = `/${source.readyMarker}`;
  if (!key.startsWith(start) || !key.endsWith(end)) return undefined;
  const day = key.slice(start.length, -end.length);
  return z
    .string()
    .regex(/^[^/]+$/)
    .safeParse(day).success
    ? day
    : undefined;
}

function refused(rule: string, found: string, remedy: string): Admission {
  return { kind: 'refused', refusal: { rule, found, remedy } };
}
