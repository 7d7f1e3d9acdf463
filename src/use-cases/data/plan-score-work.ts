import { ranges, ScoreWork, type WorkBatch } from '#domain/data/feature-work.ts';
import { writeDocument } from '#ports/documents.ts';
import type { ArtifactStore } from '#ports/artifact-store.ts';

/** Feature partitions per scoring call: they share one loading of the model. */
const BATCH = 24;

/** Writes down what is to be scored, and cuts it into batches, no batch of two releases. */
export async function planScoreWork(
  documents: ArtifactStore,
  model: string,
  items: ScoreWork['items'],
  options: Pick<ScoreWork, 'lookupDays'> = {},
): Promise<readonly WorkBatch[]> {
  const grouped = [...Map.groupBy(items, ({ release }) => release).values()];
  const document = { formatVersion: 1 as const, model, ...options, items: grouped.flat() };
  const work = await writeDocument(documents, ScoreWork, document);
  const batches: WorkBatch[] = [];
  let start = 0;
  for (const group of grouped) {
    for (const { from, to } of ranges(group.length, BATCH))
      batches.push({ work, model, from: start + from, to: start + to });
    start += group.length;
  }
  return batches;
}
