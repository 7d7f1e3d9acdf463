import { ENGINE_MEMORY } from '#domain/data/engine-limits.ts';
import type { PartitionKind } from '#domain/data/partition.ts';
import type { Refusal } from '#domain/refusal/refusal.ts';
import type { ModelDefinition } from '#domain/model/definition.ts';
import { withinMemory } from './database.ts';
import { loadEvents, loadLabels } from './inputs.ts';

/**
 * Why features would refuse a partition, in the same words: its files lack declared columns, have them in other types, or
 * hold rows without an id or of another day (UTC). Undefined where they would read it.
 */
export async function checkPartition(input: {
  readonly definition: Pick<ModelDefinition, 'events' | 'labels'>;
  readonly kind: PartitionKind;
  readonly day: string;
  readonly files: readonly string[];
  readonly memory?: string;
}): Promise<Refusal | undefined> {
  const { definition, kind, day, files, memory = ENGINE_MEMORY } = input;
  const load = kind === 'events' ? loadEvents : loadLabels;
  const result = await withinMemory({ memory, about: () => `${kind} of ${day}` }, async (connection) => ({
    refusal: await load(
      connection,
      definition,
      files.map((file) => ({ day, file })),
    ),
  }));
  return result.refusal;
}
