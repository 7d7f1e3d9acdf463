import { access } from 'node:fs/promises';
import type { DuckDBConnection } from '@duckdb/node-api';
import type { Refusal } from '#domain/error.ts';
import type { ModelDefinition } from '#domain/model/definition.ts';
import { isOutOfMemory, literal } from './database.ts';
import { corrupt, createTable, type DayFile, loadEvents, loadLabels, source, tooLarge } from './inputs.ts';

type Definition = Pick<ModelDefinition, 'events' | 'labels'>;

/** The tables that feature SQL sees. */
type Kind = 'events' | 'labels' | 'daily';

/** The files of a batch, read once. */
export interface Preloaded {
  /** Lets SQL see some of the files as a table, row for row as if they had been read for it alone. */
  put(table: Kind, files: readonly DayFile[]): Promise<Refusal | undefined>;
}

/**
 * The schema of the engine's own tables: files of all days of a batch, and results. Its name does not occur in the SQL, so
 * that no text of it can name them, even if the guard and the scopes of names should miss something.
 */
export function hiddenSchema(...sqls: readonly string[]): string {
  const text = sqls.join(' ').toLowerCase();
  let schema = 'hidden';
  while (text.includes(schema)) schema += '_';
  return schema;
}

/**
 * Reads each file of a batch once, into a table of its own in a schema: neighbouring days share most of their inputs. What a day's SQL sees are these tables, one after the other, so that its result is the same in any batch. A file that is
 * refused is refused for each day that needs it, and for no other.
 */
export async function preload(
  connection: DuckDBConnection,
  definition: Definition,
  files: Readonly<Record<Kind, readonly DayFile[]>>,
  schema: string,
): Promise<Preloaded> {
  await connection.run(`CREATE SCHEMA ${schema}`);
  for (const kind of ['events', 'labels'] as const)
    await createTable(connection, `${schema}.${kind}_none`, definition[kind].columns);
  const loaded = new Map<string, { readonly table: string; readonly refusal: Refusal | undefined }>();
  for (const kind of ['events', 'labels', 'daily'] as const) {
    for (const file of files[kind]) {
      const key = keyOf(kind, file);
      if (loaded.has(key)) continue;
      const table = `${schema}.${kind}_${String(loaded.size)}`;
      loaded.set(key, { table, refusal: await load(connection, definition, kind, file, table) });
    }
  }
  return {
    async put(kind, wanted) {
      const found = wanted.flatMap((file) => loaded.get(keyOf(kind, file)) ?? []);
      const refusal = found.find((each) => each.refusal !== undefined)?.refusal;
      if (refusal !== undefined) return refusal;
      if (kind !== 'daily') {
        const tables = [`${schema}.${kind}_none`, ...found.map(({ table }) => table)];
        await connection.run(
          `CREATE OR REPLACE VIEW ${kind} AS ${tables.map((table) => `FROM ${table}`).join(' UNION ALL ')}`,
        );
        return undefined;
      }
      // Without any aggregate nobody knows its columns: whoever needs the table asks the SQL.
      if (found.length === 0) return undefined;
      const rows = found.map(
        ({ table }, index) => `SELECT *, DATE ${literal(wanted[index]?.day ?? '')} AS "partition" FROM ${table}`,
      );
      await connection.run(`CREATE OR REPLACE TABLE daily AS ${rows.join(' UNION ALL BY NAME ')}`);
      return undefined;
    },
  };
}

async function load(
  connection: DuckDBConnection,
  definition: Definition,
  kind: Kind,
  file: DayFile,
  table: string,
): Promise<Refusal | undefined> {
  switch (kind) {
    case 'events':
      return loadEvents(connection, definition, [file], table);
    case 'labels':
      return loadLabels(connection, definition, [file], table);
    case 'daily':
      await access(file.file);
      try {
        await connection.run(`CREATE TABLE ${table} AS FROM ${source(file.file)}`);
        return undefined;
      } catch (error) {
        const what = `daily aggregates of ${file.day}`;
        return isOutOfMemory(error) ? tooLarge(connection, what, file.file) : corrupt(what, error);
      }
  }
}

function keyOf(kind: Kind, { day, file }: DayFile): string {
  return `${kind} ${day} ${file}`;
}
