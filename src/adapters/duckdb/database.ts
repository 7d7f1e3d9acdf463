import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type DuckDBConnection, DuckDBInstance, version } from '@duckdb/node-api';
import { ENGINE_SPILL } from '#domain/data/engine-limits.ts';
import type { Refusal } from '#domain/refusal/refusal.ts';

/** What names a result together with its inputs: DuckDB's version, and ours of how results are laid out in Parquet. */
export const engineVersion = `duckdb ${version()}, layout 2`;

/** How Parquet is written: fixed, because the bytes of a partition are its identity. */
export const PARQUET = 'FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 122880, USE_TMP_FILE false';

/** A result of work on data: what was made, or why the data or the SQL was refused. */
export type Refused = { readonly kind: 'refused'; readonly refusal: Refusal };

/** A value of DuckDB as this project reads it. */
export type Row = Readonly<Record<string, unknown>>;

/** A database of its own in memory. */
export interface Database {
  readonly connection: DuckDBConnection;
  close(): void;
}

/**
 * Opens a fresh in-memory database. One thread, because sums of floating-point numbers depend on their order; no extension from
 * anywhere. Nothing is spilled to disk but into `spill`, because a sum that was spilled is added up in another order.
 */
export async function openDatabase(memory: string, spill?: string): Promise<Database> {
  const instance = await DuckDBInstance.create(':memory:', {
    threads: '1',
    memory_limit: memory,
    temp_directory: spill ?? '',
    ...(spill === undefined ? {} : { max_temp_directory_size: ENGINE_SPILL }),
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    allow_community_extensions: 'false',
    preserve_insertion_order: 'true',
  });
  const connection = await instance.connect();
  await connection.run("SET TimeZone = 'UTC'");
  return {
    connection,
    close() {
      connection.closeSync();
      instance.closeSync();
    },
  };
}

/** Runs `work` on a fresh database, which leaves nothing behind in a warm function. */
export async function withDatabase<T>(
  memory: string,
  work: (connection: DuckDBConnection) => Promise<T>,
  spill?: string,
): Promise<T> {
  const database = await openDatabase(memory, spill);
  try {
    return await work(database.connection);
  } finally {
    database.close();
  }
}

/** Work on data within a limit of memory. */
interface Within {
  /** In DuckDB's words, such as `1GB`. */
  readonly memory: string;
  /** What is at work at the moment, for who has to make it smaller. */
  readonly about: () => string;
  /** Whether what does not fit into memory may go to disk: only where nothing is summed that is not a whole number. */
  readonly spills?: boolean;
}

/** Runs `work` on a fresh database; what does not fit into its memory is refused, because no retry makes it fit. */
export async function withinMemory<T>(
  { memory, about, spills = false }: Within,
  work: (connection: DuckDBConnection) => Promise<T>,
): Promise<T | Refused> {
  const spill = spills ? await mkdtemp(join(tmpdir(), 'gatehouse-spill-')) : undefined;
  try {
    return await withDatabase(memory, work, spill);
  } catch (error) {
    if (!isOutOfMemory(error)) throw error;
    return { kind: 'refused', refusal: doesNotFit(about(), memory) };
  } finally {
    if (spill !== undefined) await rm(spill, { recursive: true, force: true });
  }
}

/** Whether an error says that the engine's memory, and the disk that it may use, are full. */
export function isOutOfMemory(error: unknown): boolean {
  return messageOf(error).startsWith('Out of Memory');
}

/** The refusal of data that is too large for the engine's memory. */
export function doesNotFit(what: string, memory: string): Refusal {
  return {
    rule: 'data-fits-in-memory',
    found: `${what}: more than the engine's ${memory}`,
    remedy:
      'make partitions smaller or windows shorter, or raise ENGINE_FUNCTION_MB in src/domain/data/engine-limits.ts',
  };
}

/** The rows of a query as plain objects; 64-bit integers become numbers. */
export async function rowsOf(connection: DuckDBConnection, sql: string): Promise<Row[]> {
  const reader = await connection.runAndReadAll(sql);
  return reader
    .getRowObjectsJS()
    .map((row) =>
      Object.fromEntries(
        Object.entries(row).map(([key, value]) => [key, typeof value === 'bigint' ? Number(value) : value]),
      ),
    );
}

/** The one number of a query that has one row and one column. */
export async function numberOf(connection: DuckDBConnection, sql: string): Promise<number> {
  const [row = {}] = await rowsOf(connection, sql);
  return Number(Object.values(row)[0] ?? 0);
}

/** A text as an SQL literal. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/**
 * The path of a file to read as an SQL literal: DuckDB takes brackets, stars and question marks for a pattern that other
 * files match as well, and what begins like `x://` for an address.
 */
export function fileLiteral(file: string): string {
  return literal(resolve(file).replaceAll(/[[*?]/g, '[$&]'));
}

/** A name as an SQL identifier. */
export function name(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}

/** The message of an error without DuckDB's excerpt of the query. */
export function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return (text.split('\n')[0] ?? '').slice(0, 500);
}
