import { join } from 'node:path';
import { z } from 'zod';
import { partitionItem, whyTooManyFiles } from '#domain/data/partition-item.ts';
import { truncated } from '#domain/audit/truncated.ts';
import { GatehouseError } from '#domain/error.ts';
import { type Refusal, refusal, type Refusing } from '#domain/refusal/refusal.ts';
import { type AdmittedPartition, type ObjectReference, partitionDigest } from '#domain/data/partition.ts';
import { landedFiles, namesOf } from '#domain/data/landed-files.ts';
import { ABSENT, equals, type Write } from '#domain/ledger/item.ts';
import { keys } from '#domain/ledger/keys.ts';
import { Day, type ModelDefinition } from '#domain/model/definition.ts';
import type { DeployedModels } from '#domain/model/deployed.ts';
import type { ArtifactStore } from '#ports/artifact-store.ts';
import type { PartitionCheck } from '#ports/feature-engine.ts';
import { definitionOf } from '#read-model/definitions.ts';
import { readPointer } from '#read-model/pointer.ts';
import { findPartition } from '#read-model/partitions.ts';
import { findRefusals } from '#read-model/refusals.ts';
import { operationName, type Recording, recordChange } from '#use-cases/audit/record-change.ts';
import { keepingFaults } from '#use-cases/audit/record-faults.ts';
import { writeUnaudited } from '#use-cases/audit/write-unaudited.ts';
import { whyNotHad, withFolder } from '#use-cases/data/local-files.ts';
import { recordRefusals, resolveRefusals } from '#use-cases/data/open-refusals.ts';
import { each, type Fault, type Named as NamedItem, throwFaults } from '#use-cases/each.ts';

/** Where producers put their partitions. */
export interface Landing {
  /** The objects under a prefix, each read once and hashed. */
  list(prefix: string): Promise<readonly ObjectReference[]>;
  /** Copies an object, by its version, to a local path. */
  copy(object: ObjectReference, path: string): Promise<void>;
}

export interface Admitting extends Recording {
  readonly landing: Landing;
  readonly engine: PartitionCheck;
  /** Where releases are. */
  readonly releases: ArtifactStore;
  readonly deployed: DeployedModels;
  /** Tells this environment that a model has a new partition. */
  announce(partition: AdmittedPartition): Promise<void>;
}

export type Admission =
  | { readonly kind: 'admitted'; readonly partitions: readonly AdmittedPartition[] }
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'ignored' }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

/** A partition of a model, as its producer names it: the day is not known to be one. */
interface Reader {
  readonly model: string;
  readonly definition: ModelDefinition;
  readonly kind: 'events' | 'labels';
  readonly source: { readonly source: string; readonly readyMarker: string };
  readonly day: string;
}

/**
 * Admits the partition whose ready marker was written: by reference, with versions and hashes, once its files are found to
 * have the declared columns and rows of their day. The same bytes again are no news; other bytes are a correction, version
 * n+1. A marker that is gone withdraws the partition: it is empty from
 * then on. What counts is what is there now, whatever the event said. Several models may read one source; what one of
 * them refuses, or fails on, never keeps it from the others. @throws GatehouseError `ITEMS_FAILED`
 */
export async function admitPartition(deps: Admitting, key: string): Promise<Admission> {
  const readers = deps.deployed.models.flatMap(({ definition }) =>
    (['events', 'labels'] as const).flatMap((kind) => {
      const source = definition[kind];
      const day = markerDay(source, key);
      return day === undefined ? [] : [{ model: definition.name, definition, kind, source, day }];
    }),
  );
  if (readers.length === 0) return { kind: 'ignored' };
  const admissions: Admission[] = [];
  const faults: Fault[] = [];
  const named = ({ model, kind, day }: Reader): NamedItem => ({
    item: `${kind} of ${model}, ${day}`.slice(0, 200),
    model,
  });
  const admitting = keepingFaults(deps, 'admission', named, async (reader: Reader) => {
    const admission = await admitFor(deps, key, reader);
    admissions.push(admission);
    return admission;
  });
  await each(faults, readers, named, admitting);
  throwFaults(faults);
  const refused = admissions.find(({ kind }) => kind === 'refused');
  const partitions = admissions.flatMap((each) => (each.kind === 'admitted' ? each.partitions : []));
  return refused ?? (partitions.length > 0 ? { kind: 'admitted', partitions } : { kind: 'unchanged' });
}

/** Admits the partition for one of the models that read its source; a refusal stands until what is there is in order. */
async function admitFor(deps: Admitting, key: string, reader: Reader): Promise<Admission> {
  const admission = await decide(deps, key, reader);
  if (admission.kind === 'refused') return admission;
  const [open] = await findRefusals(deps.ledger, reader.model, reader.kind, [reader.day.slice(0, 40)]);
  if (open?.resolvedAt === null) await resolveRefusals(deps, [open]);
  return admission;
}

async function decide(
  deps: Admitting,
  key: string,
  { model, definition, kind, source, day }: Reader,
): Promise<Admission> {
  const refuse = (...why: Refusing): Promise<Admission> => refused(deps, { model, kind, day }, refusal(...why));
  const prefix = `${source.source}/dt=${day}/`;
  const listed = await deps.landing.list(prefix);
  const isReady = listed.some((object) => object.key === `${prefix}${source.readyMarker}`);
  if (!Day.safeParse(day).success) {
    // Once the marker is removed nothing stands against the name any more.
    if (!isReady) return { kind: 'unchanged' };
    return refuse('partition-day', `${key} names no day`, 'remove the marker, and name partitions dt=YYYY-MM-DD');
  }
  // Another reader of the source may have a marker of its own.
  const markers = deps.deployed.models.flatMap(({ definition: { events, labels } }) =>
    [events, labels].map(({ source: of, readyMarker }) => `${of}/dt=${day}/${readyMarker}`),
  );
  const { data, hidden, unknown } = landedFiles(
    prefix,
    listed.filter((object) => !markers.includes(object.key)),
  );
  if (!isReady) return admitted(await withdraw(deps, { model, kind, day }));
  if (unknown.length > 0) {
    const found = `${prefix} has ${unknown.length} files that would not be read: ${namesOf(unknown)}`;
    return refuse(
      'partition-names',
      found,
      'write *.parquet into the folder itself; what is no data begins with _ or a dot',
    );
  }
  if (data.length === 0) {
    const found = `${prefix} has a ready marker and no Parquet file${hidden.length > 0 ? ` but hidden ones: ${namesOf(hidden)}` : ''}`;
    return refuse('partition-whole', found, 'write the files before the marker, and the marker again');
  }
  const current = await findPartition(deps.ledger, { model, kind, day });
  if (current?.digest === partitionDigest(data)) return { kind: 'unchanged' };
  const next = nextVersion(deps, current, { model, kind, day, objects: data });
  const tooMany = whyTooManyFiles(next.partition);
  if (tooMany !== undefined)
    return refuse('partition-files', tooMany, 'write fewer and larger files, and the marker again');
  const unreadable = await whyUnreadable(deps, definition, { kind, day, objects: data });
  if (unreadable !== undefined) return refused(deps, { model, kind, day }, unreadable);
  return admitted(await admit(deps, next));
}

/**
 * Why features could not read the files: then nothing that depends on the day could be built. They are read as the served
 * release declares them, else as the model that is deployed does: a definition that no served release carries yet must not
 * keep its data out.
 */
async function whyUnreadable(
  { landing, engine, ledger, releases }: Admitting,
  deployed: ModelDefinition,
  { kind, day, objects }: Pick<AdmittedPartition, 'kind' | 'day' | 'objects'>,
): Promise<Refusal | undefined> {
  const pointer = await readPointer(ledger, deployed.name);
  const definition = pointer === undefined ? deployed : (await definitionOf(releases, pointer.current)).definition;
  return withFolder(async (folder) => {
    const files = objects.map(({ key }) => join(folder, key.slice(key.lastIndexOf('/') + 1)));
    try {
      await Promise.all(objects.map((object, index) => landing.copy(object, files[index] ?? '')));
    } catch (error) {
      const found = whyNotHad(error);
      if (found === undefined) throw error;
      return { rule: 'files-fit-on-disk', found, remedy: 'write fewer rows per day' };
    }
    const bad = await engine.checkPartition({ definition, kind, day, files });
    return bad === undefined ? undefined : { ...bad, remedy: `${bad.remedy}, and write the marker again` };
  });
}

function admitted(partition: AdmittedPartition | undefined): Admission {
  return partition === undefined ? { kind: 'unchanged' } : { kind: 'admitted', partitions: [partition] };
}

async function admit(deps: Admitting, { partition, writes }: NextVersion): Promise<AdmittedPartition> {
  const { model, kind, day, version, digest, admittedAt } = partition;
  const result = await writeUnaudited(
    deps.ledger,
    writes,
    operationName('admit', model, kind, day, version, digest, admittedAt),
  );
  if (result.kind === 'condition-failed') throw raced(kind, day);
  await deps.announce(partition);
  return partition;
}

type Named = Pick<AdmittedPartition, 'model' | 'kind' | 'day'>;

interface NextVersion {
  readonly partition: AdmittedPartition;
  readonly writes: readonly Write[];
}

/** The version after the current one, and the writes that put it in its place and keep it for ever. */
function nextVersion(
  deps: Admitting,
  current: AdmittedPartition | undefined,
  found: Named & Pick<AdmittedPartition, 'objects'>,
): NextVersion {
  const { model, kind, day, objects } = found;
  const version = (current?.version ?? 0) + 1;
  const admittedAt = deps.clock.now().toISOString();
  const digest = partitionDigest(objects);
  const partition: AdmittedPartition = { formatVersion: 1, ...found, version, digest, admittedAt };
  const condition = current === undefined ? ABSENT : equals({ version: current.version });
  return {
    partition,
    writes: [
      { kind: 'put', item: partitionItem(keys.partition(model, kind, day), partition), condition },
      {
        kind: 'put',
        item: partitionItem(keys.partitionVersion(model, kind, day, version), partition),
        condition: ABSENT,
      },
    ],
  };
}

function raced(kind: string, day: string): GatehouseError {
  return new GatehouseError(
    'ADMISSION_RACED',
    `${kind} of ${day} was admitted by another at the same time; look again`,
    { day },
  );
}

/** Makes an admitted partition an empty one, as an audited act: data went away that predictions were made from. */
async function withdraw(deps: Admitting, { model, kind, day }: Named): Promise<AdmittedPartition | undefined> {
  const found = await findPartition(deps.ledger, { model, kind, day });
  if (found === undefined || found.objects.length === 0) return undefined;
  const { partition, writes } = nextVersion(deps, found, { model, kind, day, objects: [] });
  const result = await recordChange(deps, {
    model,
    operation: operationName('withdraw', kind, day, partition.version),
    writes,
    event: {
      code: 'PARTITION_WITHDRAWN',
      actor: 'pipeline:admission',
      release: null,
      details: { kind, day, version: partition.version, digest: found.digest },
    },
  });
  if (result.kind === 'refused') throw raced(kind, day);
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

/** Says in the chain that a partition was not admitted, and so to people, once for each cause. */
async function refused(
  deps: Recording,
  { model, kind, day }: { readonly model: string; readonly kind: Reader['kind']; readonly day: string },
  refusal: Refusal,
): Promise<Admission> {
  const { rule, remedy } = refusal;
  const found = truncated([refusal.found], 1, 1200).join('');
  await recordRefusals(deps, { model, kind, days: [day.slice(0, 40)] }, { rule, found, remedy }, ([of = day]) => ({
    code: 'PARTITION_REFUSED',
    actor: 'pipeline:admission',
    release: null,
    details: { kind, day: of, rule, found, remedy },
  }));
  return { kind: 'refused', refusal };
}
