import type { PartitionKind } from '#domain/data/partition.ts';
import type { ModelDefinition } from '#domain/model/definition.ts';
import type { Refusal } from '#domain/refusal/refusal.ts';
import { rowsOf, withDatabase } from './database.ts';
import { describe, loadEvents, loadLabels } from './inputs.ts';
import type { DayFile } from '#ports/feature-engine.ts';

/** What is known of a source's partitions from their files. */
export interface SourceProfile {
  readonly kind: PartitionKind;
  /** Columns of the newest file that can be read, in its own order; declared ones and others. */
  readonly columns: readonly { readonly column: string; readonly type: string; readonly declared: boolean }[];
  readonly partitions: readonly { readonly day: string; readonly rows: number; readonly refusal?: Refusal }[];
}

/** Reads each partition of a source as building features would, and says what it holds or why it would be refused. */
export async function profileSource(
  kind: PartitionKind,
  files: readonly DayFile[],
  definition: Pick<ModelDefinition, 'events' | 'labels'>,
): Promise<SourceProfile> {
  const declared = definition[kind].columns;
  const load = kind === 'events' ? loadEvents : loadLabels;
  const partitions: { day: string; rows: number; refusal?: Refusal }[] = [];
  let columns: SourceProfile['columns'] = [];
  const days = Map.groupBy(files, ({ day }) => day);
  for (const day of [...days.keys()].sort()) {
    await withDatabase('1GB', async (connection) => {
      const refusal = await load(connection, definition, days.get(day) ?? []);
      const [row] = await rowsOf(connection, `SELECT count(*) AS rows FROM ${kind}`);
      partitions.push({ day, rows: Number(row?.['rows'] ?? 0), ...(refusal === undefined ? {} : { refusal }) });
      const newest = days.get(day)?.at(-1)?.file;
      const described = newest === undefined ? undefined : await describe(connection, newest, newest);
      if (Array.isArray(described))
        columns = described.map((each) => ({ ...each, declared: declared[each.column] !== undefined }));
    });
  }
  return { kind, columns, partitions };
}
