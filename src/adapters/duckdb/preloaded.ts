import { access } from 'node:fs/promises';
import type { DuckDBConnection } from '@duckdb/node-api';
import type { Refusal } from '#domain/refusal/refusal.ts';
import type { ModelDefinition } from '#domain/model/definition.ts';
import { isOutOfMemory, literal } from './database.ts';
import { corrupt, createTable, loadEvents, loadLabels, source, tooLarge } from './inputs.ts';
import type { DayFile } from '#ports/feature-engine.ts';

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
 * Reads each file of a batch once: neighbouring days share most of their inputs. Events and labels become a table per file, of
 * which a day sees its own, one after the other; daily aggregates, of which a day sees many, become one table that its days are
 * chosen from, which the engine plans in a third of the time. In both a day finds its rows in the order of days, so that its
 * result is the same in any batch. A file that is refused is refused for each day that needs it, and for no other.
 */
export async function preload(
  connection: DuckDBConnection,
  definition: Definition,
  files: Readonly<Record<Kind, readonly DayFile[]>>,
  schema: string,
): Promise<Preloaded> {
  await connection.run(`CREATE SCHEMA ${schema}`);
  const loaded = new Map<string, { readonly table: string; readonly refusal: Refusal | undefined }>();
  for (const kind of ['events', 'labels'] as const) {
    await createTable(connection, `${schema}.${kind}_none`, definition[kind].columns);
    const load = kind === 'events' ? loadEvents : loadLabels;
    for (const file of files[kind]) {
      const key = keyOf(kind, file);
      if (loaded.has(key)) continue;
      const table = `${schema}.${kind}_${String(loaded.size)}`;
      loaded.set(key, { table, refusal: await load(connection, definition, [file], table) });
    }
  }
  const table = `${schema}.daily`;
  const inOrder = files.daily.toSorted((a, b) => (a.day < b.day ? -1 : 1));
  let exists = false;
  for (const [day, same] of Map.groupBy(inOrder, (file) => file.day)) {
    const [file, other] = new Set(same.map((each) => each.file));
    if (file === undefined || other !== undefined) throw new RangeError(`two files of daily aggregates of ${day}`);
    const refusal = await loadDaily(
      connection,
      { day, file },
      exists ? `INSERT INTO ${table} BY NAME` : `CREATE TABLE ${table} AS`,
    );
    exists ||= refusal === undefined;
    loaded.set(keyOf('daily', { day, file }), { table, refusal });
  }
  return {
    async put(kind, wanted) {
      const found = wanted.flatMap((file) => loaded.get(keyOf(kind, file)) ?? []);
      const refusal = found.find((each) => each.refusal !== undefined)?.refusal;
      if (refusal !== undefined) return refusal;
      if (kind !== 'daily') {
        const tables = [`${schema}.${kind}_none`, ...found.map((each) => each.table)];
        await connection.run(
          `CREATE OR REPLACE VIEW ${kind} AS ${tables.map((each) => `FROM ${each}`).join(' UNION ALL ')}`,
        );
        return undefined;
      }
      // Without any aggregate nobody knows its columns: whoever needs the table asks the SQL.
      if (found.length === 0) return undefined;
      const days = wanted.map(({ day }) => `DATE ${literal(day)}`);
      await connection.run(`CREATE OR REPLACE VIEW daily AS FROM ${table} WHERE "partition" IN (${days.join(', ')})`);
      return undefined;
    },
  };
}

/** Loads the aggregates of a day: `into` says where their rows go. */
async function loadDaily(
  connection: DuckDBConnection,
  { day, file }: DayFile,
  into: string,
): Promise<Refusal | undefined> {
  await access(file);
  try {
    await connection.run(`${into} SELECT *, DATE ${literal(day)} AS "partition" FROM ${source(file)}`);
    return undefined;
  } catch (error) {
    const what = `daily aggregates of ${day}`;
    return isOutOfMemory(error) ? tooLarge(connection, what, file) : corrupt(what, error);
  }
}

function keyOf(kind: Kind, { day, file }: DayFile): string {
  return `${kind} ${day} ${file}`;
}
