import { z } from 'zod';
import { Digest } from '#domain/canonical/digest.ts';
import { PartitionKind } from '#domain/data/partition.ts';
import { refusalText } from '#domain/refusal/refusal.ts';
import type { ReadableStore } from '#ports/artifact-store.ts';
import { readDocument } from '#ports/documents.ts';
import type { PartitionCheck } from '#ports/feature-engine.ts';
import type { Lake } from '#ports/lake.ts';
import { definitionOf, type StoredDefinition } from '#read-model/definitions.ts';
import { fetchPartitions, whyNotHad, withFolder } from '#use-cases/data/local-files.ts';
import { isBroken } from '#use-cases/verification/whole-release.ts';
import { contract, type Task } from '#use-cases/task.ts';
import { SourceDataPlan } from './plan-source-data.ts';

export const CheckSourceData = contract({
  /** Both null where there is no release to roll back to. */
  input: z.object({ release: Digest.nullable(), data: Digest.nullable() }),
  output: z.object({ kinds: z.array(z.object({ kind: PartitionKind, problem: z.string().nullable() })) }),
});

/**
 * Reads the newest admitted data by the definition that a release carries, as admission and features would: whether what it would be
 * given today is what it takes. Of a release that is damaged it says nothing.
 */
export function checkSourceData(deps: {
  readonly engine: PartitionCheck;
  readonly lake: Lake;
  readonly releases: ReadableStore;
  readonly documents: ReadableStore;
}): Task {
  return CheckSourceData.task(async ({ release, data }) => {
    if (release === null || data === null) return { kinds: [] };
    let source: StoredDefinition;
    try {
      source = await definitionOf(deps.releases, release);
    } catch (error) {
      if (isBroken(error)) return { kinds: [] };
      throw error;
    }
    const { partitions } = await readDocument(deps.documents, SourceDataPlan, data);
    const { definition } = source;
    const kinds = [];
    for (const kind of ['events', 'labels'] as const) {
      const partition = partitions.find((each) => each.kind === kind);
      const problem =
        partition === undefined
          ? // Labels come late, or to dev only: what is served does without them until there are some.
            kind === 'labels'
            ? null
            : `no ${kind} are admitted`
          : await withFolder(async (folder) => {
              try {
                const files = (await fetchPartitions(deps.lake, [partition], folder)).map(({ file }) => file);
                const refused = await deps.engine.checkPartition({ definition, kind, day: partition.day, files });
                return refused === undefined ? null : refusalText(refused);
              } catch (error) {
                const why = whyNotHad(error) ?? (isBroken(error) ? error.message : undefined);
                if (why === undefined) throw error;
                return `${kind} of ${partition.day}: ${why}`;
              }
            });
      kinds.push({ kind, problem: problem?.slice(0, 400) ?? null });
    }
    return { kinds };
  });
}
