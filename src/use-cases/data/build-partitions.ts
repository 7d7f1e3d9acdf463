import { join } from 'node:path';
import { type Digest, parseCanonical } from '#domain/canonical/digest.ts';
import { FeatureWork, WorkBatch } from '#domain/data/feature-work.ts';
import { GatehouseError } from '#domain/error.ts';
import { ModelDefinition } from '#domain/model/definition.ts';
import type { ArtifactStore } from '#ports/artifact-store.ts';
import type { EngineResult, FeatureEngine } from '#ports/feature-engine.ts';
import type { BuiltKind, Lake } from '#ports/lake.ts';
import { type Task, task } from '#use-cases/task.ts';
import { fetchPartitions, remembering, withFolder } from './local-files.ts';

export interface Building {
  readonly engine: FeatureEngine;
  readonly lake: Lake;
  readonly documents: ArtifactStore;
  readonly releases: ArtifactStore;
}

interface Recipe {
  readonly definition: ModelDefinition;
  readonly daily: string;
  readonly features: string;
}

/** Builds the daily aggregates of a batch: of each day's arrived labels and the events that they speak of. */
export function buildDailyPartition(deps: Building): Task {
  return task(WorkBatch, (batch) =>
    buildBatch(deps, batch, 'daily', async (lake, folder, out, item: FeatureWork['daily'][number], recipe) =>
      deps.engine.buildDaily({
        sql: recipe.daily,
        day: item.day,
        events: await fetchPartitions(lake, item.events, folder),
        labels: await fetchPartitions(lake, item.labels === undefined ? [] : [item.labels], folder),
        definition: recipe.definition,
        out,
      }),
    ),
  );
}

/** Builds the feature partitions of a batch from events and trailing aggregates. */
export function buildFeaturePartition(deps: Building): Task {
  return task(WorkBatch, (batch) =>
    buildBatch(deps, batch, 'features', async (lake, folder, out, item: FeatureWork['features'][number], recipe) =>
      deps.engine.buildFeatures({
        sql: recipe,
        day: item.day,
        events: await fetchPartitions(lake, item.events, folder),
        daily: await Promise.all(
          item.daily.map(async ({ day, digest }) => ({
            day,
            file: await lake.fetch('daily', batch.model, digest, folder),
          })),
        ),
        definition: recipe.definition,
        out,
      }),
    ),
  );
}

async function buildBatch<K extends 'daily' | 'features'>(
  deps: Building,
  batch: WorkBatch,
  kind: K & BuiltKind,
  build: (
    lake: Lake,
    folder: string,
    out: string,
    item: FeatureWork[K][number],
    recipe: Recipe,
  ) => Promise<EngineResult>,
) {
  const work = parseCanonical(FeatureWork, await deps.documents.read(batch.work), 'feature work');
  const items: readonly FeatureWork[K][number][] = work[kind];
  const recipes = new Map<Digest, Recipe>();
  const refusals: { day: string; rule: string; found: string }[] = [];
  let built = 0;
  const lake = remembering(deps.lake);
  await withFolder(async (folder) => {
    for (const item of items.slice(batch.from, batch.to)) {
      if ((await deps.lake.find(kind, batch.model, item.digest)) !== undefined) continue;
      const recipe = recipes.get(item.definition) ?? (await readRecipe(deps.releases, item.definition));
      recipes.set(item.definition, recipe);
      const out = join(folder, `${kind}-${item.day}-out.parquet`);
      const result = await refusingMissing(() => build(lake, folder, out, item, recipe));
      if (result.kind === 'refused') {
        refusals.push({ day: item.day, rule: result.refusal.rule, found: result.refusal.found.slice(0, 300) });
      } else {
        await deps.lake.store(kind, batch.model, item.digest, { path: out, sha256: result.sha256, rows: result.rows });
        built += 1;
      }
    }
  });
  return { status: refusals.length === 0 ? 'built' : 'refused', built, refusals: refusals.slice(0, 5) };
}

/** What was refused before this is not there, and no retry makes it: what would be made from it is refused as well. */
async function refusingMissing(build: () => Promise<EngineResult>): Promise<EngineResult> {
  try {
    return await build();
  } catch (error) {
    if (!(error instanceof GatehouseError) || error.code !== 'ARTIFACT_MISSING') throw error;
    const remedy = 'mend what was refused before it';
    return { kind: 'refused', refusal: { rule: 'inputs are built', found: error.message, remedy } };
  }
}

async function readRecipe(releases: ArtifactStore, digest: Digest): Promise<Recipe> {
  const definition = parseCanonical(ModelDefinition, await releases.read(digest), 'definition.json');
  const text = async (of: Digest): Promise<string> => new TextDecoder().decode(await releases.read(of));
  return {
    definition,
    daily: await text(definition.features.daily.sha256),
    features: await text(definition.features.features.sha256),
  };
}
