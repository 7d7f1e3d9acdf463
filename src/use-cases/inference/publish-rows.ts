import { z } from 'zod';
import { type Digest } from '#domain/canonical/digest.ts';
import { predictionDigest, ScoreWork, WorkBatch } from '#domain/data/feature-work.ts';
import type { ModelDefinition } from '#domain/model/definition.ts';
import { readDocument } from '#ports/documents.ts';
import type { ArtifactStore } from '#ports/artifact-store.ts';
import type { Clock } from '#ports/clock.ts';
import type { Lake } from '#ports/lake.ts';
import type { PredictionRows, PublishedRow, ScoredRow } from '#ports/prediction-rows.ts';
import { definitionOf } from '#read-model/definitions.ts';
import { withFolder } from '#use-cases/data/local-files.ts';
import { whyNotPublishable } from '#domain/prediction/row-key.ts';
import { contract, type Task } from '#use-cases/task.ts';

export interface RowPublication {
  readonly rows: PredictionRows;
  readonly lake: Lake;
  readonly documents: ArtifactStore;
  readonly releases: ArtifactStore;
  readonly clock: Clock;
  readonly scorer: Digest;
  /** The rows of a local prediction partition, with the entities of its feature partition. */
  readRows(
    definition: ModelDefinition,
    files: { readonly features: string; readonly predictions: string },
  ): Promise<readonly ScoredRow[]>;
}

export const PublishRows = contract({
  input: WorkBatch,
  output: z.object({
    status: z.literal('published'),
    partitions: z.int(),
    rows: z.int(),
    /** Rows that no key can hold, and the first few of them in words. */
    unpublished: z.int(),
    examples: z.array(z.string()),
  }),
});

/**
 * Puts the rows of scored partitions where they are looked up by entity, under the names of their partitions and before
 * a manifest names those: a reader of the manifest finds all of them. What was not scored is passed over.
 */
export function publishRows(deps: RowPublication): Task {
  return PublishRows.task(async ({ model, work, from, to }) => {
    const { items, lookupDays = 0 } = await readDocument(deps.documents, ScoreWork, work);
    const expiresAt = new Date(deps.clock.now().getTime() + lookupDays * 86_400_000);
    const done = { partitions: 0, rows: 0 };
    const unpublishable: string[] = [];
    for (const { release, day, features } of items.slice(from, to)) {
      const predictions = predictionDigest(features, release, deps.scorer);
      if ((await deps.lake.find('predictions', model, predictions)) === undefined) continue;
      const { definition } = await definitionOf(deps.releases, release);
      const rows = await withFolder(async (folder) =>
        deps.readRows(definition, {
          features: await deps.lake.fetch('features', model, features, folder),
          predictions: await deps.lake.fetch('predictions', model, predictions, folder),
        }),
      );
      // One row that no key can hold is left out and alerted: the others, and the partition itself, are published.
      const published = rows.flatMap((scored): PublishedRow[] => {
        const row = { ...scored, day, predictions, release };
        const why = whyNotPublishable(model, row);
        if (why === undefined && row.entity !== null) return [{ ...row, entity: row.entity }];
        unpublishable.push(`${day}: ${why}`);
        return [];
      });
      await deps.rows.put(model, published, expiresAt);
      done.partitions += 1;
      done.rows += published.length;
    }
    return {
      status: 'published',
      ...done,
      unpublished: unpublishable.length,
      examples: unpublishable.slice(0, 2).map((line) => line.slice(0, 200)),
    };
  });
}
