import { join } from 'node:path';
import { z } from 'zod';
import { Digest } from '#domain/canonical/digest.ts';
import { RefusedDay } from '#domain/data/build-refusals.ts';
import { predictionDigest, ScoreWork, WorkBatch } from '#domain/data/feature-work.ts';
import type { Refusal } from '#domain/refusal/refusal.ts';
import { fileOf, ReleaseManifest } from '#domain/release/manifest.ts';
import { readDocument } from '#ports/documents.ts';
import type { ArtifactStore } from '#ports/artifact-store.ts';
import type { Lake } from '#ports/lake.ts';
import type { LoadedModel, Scoring } from '#ports/scoring.ts';
import { definitionOf } from '#read-model/definitions.ts';
import { writeRefusals } from '#use-cases/data/batch-refusals.ts';
import { withFolder } from '#use-cases/data/local-files.ts';
import { contract, type Task } from '#use-cases/task.ts';

export interface ScoringDeps {
  readonly scoring: Scoring;
  readonly scorer: Digest;
  readonly lake: Lake;
  readonly documents: ArtifactStore;
  readonly releases: ArtifactStore;
}

export const ScorePartitions = contract({
  input: WorkBatch,
  output: z.object({
    status: z.enum(['scored', 'refused']),
    scored: z.int(),
    rows: z.int(),
    carried: z.int(),
    /** The first few; all of them are the object that `refused` names. */
    refusals: z.array(RefusedDay),
    refused: Digest.nullable(),
  }),
});

type Item = ScoreWork['items'][number];

/** What became of one partition. */
type Scored = { readonly kind: 'there' } | { readonly kind: 'scored'; readonly rows: number; readonly carried: number };

/** Scores feature partitions, each once: what is scored already, or not built, is passed over. */
export function scorePartitions(deps: ScoringDeps): Task {
  return ScorePartitions.task(async ({ model, work, from, to }) => {
    const { items } = await readDocument(deps.documents, ScoreWork, work);
    const refusals: RefusedDay[] = [];
    const done = { scored: 0, rows: 0, carried: 0 };
    for (const [release, group] of Map.groupBy(items.slice(from, to), (item) => item.release)) {
      const note = (day: string, { rule, found, remedy }: Refusal): void => {
        refusals.push({ day, rule, found: found.slice(0, 300), remedy });
      };
      const ready: Item[] = [];
      const found = await Promise.all(group.map((item) => deps.lake.find('features', model, item.features)));
      for (const [index, item] of group.entries()) {
        if (found[index] !== undefined) ready.push(item);
        else
          note(item.day, {
            rule: 'inputs-built',
            found: `features ${item.features} are not built`,
            remedy: 'mend what was refused before it',
          });
      }
      if (ready.length === 0) continue;
      const manifest = await readDocument(deps.releases, ReleaseManifest, release);
      const { definition } = await definitionOf(deps.releases, release);
      const onnx = await deps.releases.read(fileOf(manifest, 'model.onnx').sha256);
      const result = await deps.scoring.withModel(onnx, definition, async (loaded) => {
        for (const item of ready) {
          const scored = await scoreOne(deps, model, loaded, item);
          if ('rule' in scored) {
            note(item.day, scored);
            continue;
          }
          if (scored.kind === 'there') continue;
          done.scored += 1;
          done.rows += scored.rows;
          done.carried += scored.carried;
        }
      });
      if (result.kind === 'refused') for (const { day } of ready) note(day, result.refusal);
    }
    return {
      status: refusals.length === 0 ? 'scored' : 'refused',
      ...done,
      refusals: refusals.slice(0, 5),
      refused: await writeRefusals(deps.documents, refusals),
    };
  });
}

/** Scores one partition and stores its predictions; rows whose features are what they were are carried over. */
async function scoreOne(deps: ScoringDeps, model: string, loaded: LoadedModel, item: Item): Promise<Scored | Refusal> {
  const { lake } = deps;
  const name = predictionDigest(item.features, item.release, deps.scorer);
  if ((await lake.find('predictions', model, name)) !== undefined) return { kind: 'there' };
  return withFolder(async (folder) => {
    const out = join(folder, 'predictions.parquet');
    const features = await lake.fetch('features', model, item.features, folder);
    const previous = await fetchPrevious(deps, model, item, folder);
    const result = await loaded.score({
      features,
      out,
      ...(previous === undefined ? {} : { previous: previous.files }),
    });
    if (result.kind === 'refused') return result.refusal;
    const { rows, sha256, carried, dropped } = result;
    const lineage =
      previous === undefined || carried === 0
        ? {}
        : { lineage: { from: previous.sha256, carried, scored: rows - carried, dropped } };
    await lake.store('predictions', model, name, { path: out, sha256, rows, ...lineage });
    return { kind: 'scored', rows, carried };
  });
}

/** The earlier scoring that rows may be carried over from, where both its files are still there. */
async function fetchPrevious(
  { lake, scorer }: ScoringDeps,
  model: string,
  { previous, release }: Item,
  folder: string,
) {
  if (previous === undefined) return undefined;
  const name = predictionDigest(previous, release, scorer);
  const [features, predictions] = await Promise.all([
    lake.find('features', model, previous),
    lake.find('predictions', model, name),
  ]);
  if (features === undefined || predictions === undefined) return undefined;
  const files = {
    features: await lake.fetch('features', model, previous, folder),
    predictions: await lake.fetch('predictions', model, name, folder),
  };
  return { files, sha256: predictions.object.sha256 };
}
