// The flights in a folder: partitions as they were landed, and the features that the product's planner and engine make of
// them, each under the digest of its inputs, so that a run that was stopped goes on where it was.
import { existsSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { buildDaily, buildFeatures } from '#adapters/duckdb/featurizer.ts';
import type { Digest } from '#domain/canonical/digest.ts';
import { FEATURE_ENGINE } from '#domain/data/engines.ts';
import {
  type CataloguePartition,
  type DailyPlan,
  type FeaturePlan,
  featurePlanner,
  partitionsBetween,
} from '#domain/data/feature-plan.ts';
import { partitionDigest, type PartitionKind } from '#domain/data/partition.ts';
import type { DayRange } from '#domain/data/windows.ts';
import type { ModelDefinition } from '#domain/model/definition.ts';
import type { LandingPartition, Replay } from '#model/replay.ts';
import type { DayFile } from '#ports/feature-engine.ts';
import { inPieces } from './chunks.ts';

/** Days that share an engine: neighbours have most of their inputs in common. */
const TOGETHER = 21;

/** A day's features as a file, named by what they were made of. */
export interface DayFeatures extends DayFile {
  readonly digest: Digest;
}

/** Partitions as somebody sees them, and how many rows each has. */
export interface Catalogue {
  readonly partitions: readonly CataloguePartition[];
  readonly rows: ReadonlyMap<string, number>;
}

export interface Recipe {
  readonly definition: ModelDefinition;
  readonly sql: { readonly daily: string; readonly features: string };
}

/** Where partitions are, and what is made of them. */
export interface HalfYearLake extends Recipe {
  readonly folder: string;
  /** What was really landed. */
  readonly clean: Catalogue;
  /** The same with some days damaged, as a run sees it before the correction. */
  damaged(kind: string, range: DayRange): Promise<Catalogue>;
  /** The features of days, built where they are missing. */
  features(catalogue: Catalogue, days: readonly string[]): Promise<DayFeatures[]>;
}

/** The key under which a catalogue counts rows. */
export const rowsKey = (kind: PartitionKind, day: string): string => `${kind} ${day}`;

/** The label files that arrived within a range of days. */
export function labelFiles({ partitions }: Catalogue, range: DayRange): DayFile[] {
  return filesOf(partitionsBetween(partitions, 'labels', range).partitions);
}

/** Opens the flights below a folder. */
export async function openLake(recipe: Recipe, replay: Replay, folder: string, sample: number): Promise<HalfYearLake> {
  const source = { folder: join(folder, 'flights'), sample };
  for (const kind of ['daily', 'features']) mkdirSync(join(folder, kind), { recursive: true });
  return {
    ...recipe,
    folder,
    clean: catalogueOf(await replay.prepare(source)),
    async damaged(kind, range) {
      return catalogueOf(await replay.prepare({ ...source, damage: { kind, ...range } }));
    },
    async features(catalogue, days) {
      const featuresOf = featurePlanner(recipe.definition, FEATURE_ENGINE, catalogue.partitions);
      const plans = days.map((day) => {
        const plan = featuresOf(day);
        if (!plan.ready) throw new Error(`${plan.missing.length} partitions are missing for the features of ${day}`);
        return plan;
      });
      await buildMissing(recipe, folder, plans);
      return plans.map(({ day, digest }) => ({ day, digest, file: fileOf(folder, 'features', digest) }));
    },
  };
}

function catalogueOf(landed: readonly LandingPartition[]): Catalogue {
  const partitions = landed.map(({ kind, day, file, sha256 }) => {
    const object = { bucket: 'local', key: file, versionId: '1', sha256: sha256 as Digest, size: statSync(file).size };
    return { kind, day, version: 1, objects: [object], digest: partitionDigest([object]) };
  });
  return { partitions, rows: new Map(landed.map(({ kind, day, rows }) => [rowsKey(kind, day), rows])) };
}

async function buildMissing({ sql, definition }: Recipe, folder: string, plans: readonly FeaturePlan[]): Promise<void> {
  const missing = plans.filter(({ digest }) => !existsSync(fileOf(folder, 'features', digest)));
  const dailies = new Map(missing.flatMap(({ daily }) => daily.map((plan) => [plan.digest, plan] as const)));
  const wanted = [...dailies.values()]
    .filter(({ digest }) => !existsSync(fileOf(folder, 'daily', digest)))
    .toSorted((a, b) => (a.day < b.day ? -1 : 1));
  await inPieces('daily aggregates', wanted, TOGETHER, async (group) => {
    const items = group.map(({ day, digest, events, labels }) => ({
      day,
      events: filesOf(events),
      labels: filesOf(labels === undefined ? [] : [labels]),
      out: `${fileOf(folder, 'daily', digest)}.partial`,
    }));
    keep(folder, 'daily', group, await buildDaily({ sql: sql.daily, definition, items }));
  });
  await inPieces('features', missing, TOGETHER, async (group) => {
    const items = group.map(({ day, digest, events, daily }) => ({
      day,
      events: filesOf(events),
      daily: daily.map((plan) => ({ day: plan.day, file: fileOf(folder, 'daily', plan.digest) })),
      out: `${fileOf(folder, 'features', digest)}.partial`,
    }));
    keep(folder, 'features', group, await buildFeatures({ sql, definition, items }));
  });
}

/** A file has its name only once it is whole. */
function keep(
  folder: string,
  kind: 'daily' | 'features',
  plans: readonly Pick<DailyPlan, 'day' | 'digest'>[],
  results: Awaited<ReturnType<typeof buildDaily>>,
): void {
  for (const [index, { day, digest }] of plans.entries()) {
    const result = results[index];
    if (result?.kind !== 'built') throw new Error(`${kind} of ${day}: ${result?.refusal.found ?? 'nothing was said'}`);
    const file = fileOf(folder, kind, digest);
    renameSync(`${file}.partial`, file);
  }
}

function fileOf(folder: string, kind: 'daily' | 'features', digest: Digest): string {
  return join(folder, kind, `${digest.slice('sha256:'.length)}.parquet`);
}

function filesOf(partitions: readonly CataloguePartition[]): DayFile[] {
  return partitions.flatMap(({ day, objects }) => objects.map(({ key }) => ({ day, file: key })));
}
