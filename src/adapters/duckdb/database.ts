import { type DuckDBConnection, DuckDBInstance, version } from '@duckdb/node-api';
import type { Refusal } from '#domain/error.ts';

/** What names a result together with its inputs: DuckDB's version, and ours of how results are laid out in Parquet. */
export const engineVersion = `duckdb ${version()}, layout 2`;

/** How Parquet is written: fixed, because the bytes of a partition are its identity. */
export const PARQUET = 'FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 122880, USE_TMP_FILE false';

/** A result of work on data: what was made, or why the data or the SQL was refused. */
export type Refused = { readonly kind: 'refused'; readonly refusal: Refusal };

/** A value of DuckDB as this project reads it. */
export type Row = Readonly<Record<string, unknown>>;

/**
 * Runs `work` on a fresh in-memory database, which leaves nothing behind in a warm function. One thread, because sums
 * of floating-point numbers depend on their order; no spilling to disk, no extension from anywhere.
 */
export async function withDatabase<T>(memory: string, work: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
  const instance = await DuckDBInstance.create(':memory:', {
    threads: '1',
    memory_limit: memory,
    temp_directory: '',
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    allow_community_extensions: 'false',
    preserve_insertion_order: 'true',
  });
  const connection = await instance.connect();
  try {
    await connection.run("SET TimeZone = 'UTC'");
    return await work(connection);
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
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

/** A name as an SQL identifier. */
export function name(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}

/** The message of an error without DuckDB's excerpt of the query. */
export function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return (text.split('\n')[0] ?? '').slice(0, 500);
}
