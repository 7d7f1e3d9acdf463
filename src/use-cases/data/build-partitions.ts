import { join } from 'node:path';
import { z } from 'zod';
import { Digest } from '#domain/canonical/digest.ts';
import { RefusedDay } from '#domain/data/build-refusals.ts';
import { batchesWithin, FeatureWork, WorkBatch } from '#domain/data/feature-work.ts';
import { GatehouseError } from '#domain/error.ts';
import type { Refusal } from '#domain/refusal/refusal.ts';
import { ModelDefinition } from '#domain/model/definition.ts';
import { readDocument } from '#ports/documents.ts';
import type { ArtifactStore } from '#ports/artifact-store.ts';
import type { EngineResult, FeatureEngine } from '#ports/feature-engine.ts';
import type { BuiltKind, Lake } from '#ports/lake.ts';
import { contract, type Said, type Task } from '#use-cases/task.ts';
import { writeRefusals } from './batch-refusals.ts';
import { fetchPartitions, memoised, whyNotHad, withFolder } from './local-files.ts';

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

/** Where a batch reads from, and the folder that it works in. */
interface Place {
  readonly lake: Lake;
  readonly folder: string;
  readonly model: string;
}

/** How a kind of partition is built: its inputs by item, then all items at once. */
interface Builder<Item, Inputs> {
  inputs(place: Place, item: Item): Promise<Inputs>;
  build(
    recipe: Recipe,
    items: readonly (Inputs & { readonly day: string; readonly out: string })[],
  ): Promise<readonly EngineResult[]>;
}

export const BuildPartitions = contract({
  input: WorkBatch,
  output: z.object({
    status: z.enum(['built', 'refused']),
    built: z.int(),
    /** The first few; all of them are the object that `refused` names. */
    refusals: z.array(RefusedDay),
    refused: Digest.nullable(),
  }),
});

/** Builds the daily aggregates of a batch: of each day's arrived labels and the events that they speak of. */
export function buildDailyPartition(deps: Building): Task {
  return BuildPartitions.task((batch) =>
    buildBatch(deps, batch, 'daily', {
      inputs: async ({ lake, folder }, item: FeatureWork['daily'][number]) => ({
        events: await fetchPartitions(lake, item.events, folder),
        labels: await fetchPartitions(lake, item.labels === undefined ? [] : [item.labels], folder),
      }),
      build: ({ definition, daily: sql }, items) => deps.engine.buildDaily({ sql, definition, items }),
    }),
  );
}

/** Builds the feature partitions of a batch from events and trailing aggregates. */
export function buildFeaturePartition(deps: Building): Task {
  return BuildPartitions.task((batch) =>
    buildBatch(deps, batch, 'features', {
      inputs: async ({ lake, folder, model }, item: FeatureWork['features'][number]) => ({
        events: await fetchPartitions(lake, item.events, folder),
        daily: await Promise.all(
          item.daily.map(async ({ day, digest }) => ({
            day,
            file: await lake.fetch('daily', model, digest, folder),
          })),
        ),
      }),
      build: ({ definition, daily, features }, items) =>
        deps.engine.buildFeatures({ sql: { daily, features }, definition, items }),
    }),
  );
}

/**
 * The most bytes of input that days share an engine for: compressed, Parquet is about a fifth of what it takes in memory,
 * and an engine has 1.4 GB. More days than that are built in several goes.
 */
const TOGETHER_BYTES = 64 * 1024 * 1024;

async function buildBatch<K extends 'daily' | 'features', Inputs>(
  deps: Building,
  batch: WorkBatch,
  kind: K & BuiltKind,
  builder: Builder<FeatureWork[K][number], Inputs>,
): Promise<Said<z.output<typeof BuildPartitions.output>>> {
  const work = await readDocument(deps.documents, FeatureWork, batch.work);
  const wanted: readonly FeatureWork[K][number][] = work[kind].slice(batch.from, batch.to);
  const found = await Promise.all(wanted.map((item) => deps.lake.find(kind, batch.model, item.digest)));
  const items = wanted.filter((_, index) => found[index] === undefined);
  const refusals: RefusedDay[] = [];
  let built = 0;
  for (const [digest, ofDefinition] of Map.groupBy(items, (item) => item.definition)) {
    const recipe = await readRecipe(deps.releases, digest);
    for (const group of batchesWithin(ofDefinition, TOGETHER_BYTES)) {
      for (const { day, refusal } of await buildGroup(deps, batch.model, kind, builder, recipe, group)) {
        if (refusal === undefined) built += 1;
        else refusals.push({ ...refusal, day, found: refusal.found.slice(0, 300) });
      }
    }
  }
  return {
    status: refusals.length === 0 ? 'built' : 'refused',
    built,
    refusals: refusals.slice(0, 5),
    refused: await writeRefusals(deps.documents, refusals),
  };
}

/** Builds days that share an engine; a day whose inputs are not there, or that is refused, stops no other. */
async function buildGroup<K extends 'daily' | 'features', Inputs>(
  deps: Building,
  model: string,
  kind: K & BuiltKind,
  builder: Builder<FeatureWork[K][number], Inputs>,
  recipe: Recipe,
  group: readonly FeatureWork[K][number][],
): Promise<readonly { readonly day: string; readonly refusal?: Refusal }[]> {
  return withFolder(async (folder) => {
    const place = { lake: memoised(deps.lake), folder, model };
    const fetched = await Promise.all(
      group.map(async (item) => {
        const out = join(folder, `${kind}-${item.day}-out.parquet`);
        const inputs = await refusingMissing(() => builder.inputs(place, item));
        return { item, day: item.day, out, inputs };
      }),
    );
    const ready = fetched.flatMap(({ item, day, out, inputs }) =>
      'rule' in inputs ? [] : [{ item, day, out, ...inputs.value }],
    );
    const results = ready.length === 0 ? [] : await builder.build(recipe, ready);
    const outcomes: { day: string; refusal?: Refusal }[] = fetched.flatMap(({ day, inputs }) =>
      'rule' in inputs ? [{ day, refusal: inputs }] : [],
    );
    await Promise.all(
      ready.map(async ({ item, day, out }, index) => {
        const result = results[index];
        if (result === undefined) throw new GatehouseError('NO_RESULT', `the engine said nothing of ${day}`, { day });
        if (result.kind === 'refused') outcomes.push({ day, refusal: result.refusal });
        else {
          const { sha256, rows } = result;
          await deps.lake.store(kind, model, item.digest, { path: out, sha256, rows });
          outcomes.push({ day });
        }
      }),
    );
    return outcomes.toSorted((a, b) => (a.day < b.day ? -1 : 1));
  });
}

/** What was refused before this is not there, and no retry makes it: what would be made from it is refused as well. */
async function refusingMissing<T>(fetch: () => Promise<T>): Promise<{ readonly value: T } | Refusal> {
  try {
    return { value: await fetch() };
  } catch (error) {
    const found = whyNotHad(error);
    if (found === undefined) throw error;
    return { rule: 'inputs-built', found, remedy: 'mend what was refused before it' };
  }
}

async function readRecipe(releases: ArtifactStore, digest: Digest): Promise<Recipe> {
  const definition = await readDocument(releases, ModelDefinition, digest);
  const text = async (of: Digest): Promise<string> => new TextDecoder().decode(await releases.read(of));
  return {
    definition,
    daily: await text(definition.features.daily.sha256),
    features: await text(definition.features.features.sha256),
  };
}
