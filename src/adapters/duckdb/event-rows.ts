import { ENGINE_MEMORY } from '#domain/data/engine-limits.ts';
import { type ModelDefinition, typeOf } from '#domain/model/definition.ts';
import type { DayFile } from '#ports/feature-engine.ts';
import type { EventRow, ReadEvent } from '#ports/online-features.ts';
import { name, type Refused, withDatabase, withinMemory } from './database.ts';
import { loadEvents, source } from './inputs.ts';
import { microsecondsOf } from './request-rows.ts';

/** The features of a file by the id of their event, as text. */
export async function readFeatures(
  { events, features }: Pick<ModelDefinition, 'events' | 'features'>,
  file: string,
): Promise<ReadonlyMap<string, readonly (number | null)[]>> {
  const columns = [`CAST(${name(events.id)} AS VARCHAR)`, ...features.columns.map(name)].join(', ');
  const rows = await withDatabase(ENGINE_MEMORY, async (connection) =>
    (await connection.runAndReadAll(`SELECT ${columns} FROM ${source(file)}`)).getRowsJS(),
  );
  return new Map(rows.map(([id, ...values]) => [id as string, values as (number | null)[]]));
}

/** Reads the events of some files as requests would have them, in the order of the files. */
export async function readEvents(
  definition: Pick<ModelDefinition, 'events'>,
  files: readonly DayFile[],
): Promise<{ readonly kind: 'read'; readonly events: readonly ReadEvent[] } | Refused> {
  const { columns, time } = definition.events;
  const names = Object.keys(columns);
  const selected = names.map((column) => {
    const text = {
      TIMESTAMP: `strftime(${name(column)}, '%Y-%m-%dT%H:%M:%S.%fZ')`,
      DATE: `strftime(${name(column)}, '%Y-%m-%d')`,
    };
    const type = typeOf(columns[column]);
    return type === 'TIMESTAMP' || type === 'DATE' ? text[type] : name(column);
  });
  const about = (): string => `events of ${[...new Set(files.map(({ day }) => day))].join(', ')}`;
  return withinMemory({ memory: ENGINE_MEMORY, about }, async (connection) => {
    const refusal = await loadEvents(connection, definition, files);
    if (refusal !== undefined) return { kind: 'refused', refusal };
    const reader = await connection.runAndReadAll(`SELECT ${selected.join(', ')} FROM events`);
    const events = reader.getRowsJS().map((values) => {
      const row = Object.fromEntries(names.map((column, at) => [column, values[at] as EventRow[string]]));
      return { row, at: microsecondsOf(String(row[time])) ?? 0n };
    });
    return { kind: 'read', events };
  });
}
