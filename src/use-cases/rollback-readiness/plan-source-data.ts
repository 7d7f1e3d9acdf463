import { z } from 'zod';
import { document } from '#domain/canonical/document.ts';
import type { Digest } from '#domain/canonical/digest.ts';
import { InputPartition } from '#domain/data/partition.ts';
import { ModelName } from '#domain/model/definition.ts';
import type { ArtifactStore } from '#ports/artifact-store.ts';
import { writeDocument } from '#ports/documents.ts';
import type { ReadableLedger } from '#ports/ledger.ts';
import { readPartitions } from '#read-model/partitions.ts';

/** The newest admitted data of a model, that a release is to read: at most one partition of each kind. */
export const SourceDataPlan = document(
  'source data plan',
  z.strictObject({ formatVersion: z.literal(1), model: ModelName, partitions: z.array(InputPartition).max(2) }),
);

/** Writes down which admitted partitions are the newest with rows: what was withdrawn says nothing of today's columns. */
export async function planSourceData(
  deps: { readonly ledger: ReadableLedger; readonly documents: ArtifactStore },
  model: string,
): Promise<Digest> {
  const newest = await Promise.all(
    (['events', 'labels'] as const).map(async (kind) =>
      (await readPartitions(deps.ledger, model, kind)).findLast(({ objects }) => objects.length > 0),
    ),
  );
  return writeDocument(deps.documents, SourceDataPlan, {
    formatVersion: 1,
    model,
    partitions: newest.flatMap((partition) => (partition === undefined ? [] : [InputPartition.parse(partition)])),
  });
}
