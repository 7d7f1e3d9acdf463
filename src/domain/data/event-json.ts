import { canonicalJson, type Digest, digestOf } from '../canonical/digest.ts';
import { type EventColumn, typeOf } from '../model/definition.ts';

/** A value of a raw event; an integer that no double holds is a `bigint`. */
type EventValue = string | number | bigint | boolean | null;

type EventRow = Readonly<Record<string, EventValue>>;

/** A raw event as JSON can have it: an integer that no double holds is its text. */
export type JsonRow = Readonly<Record<string, Exclude<EventValue, bigint>>>;

/** A raw event as JSON. */
export function rowToJson(row: Readonly<Record<string, EventValue>>): JsonRow {
  return Object.fromEntries(
    Object.entries(row).map(([column, value]) => [column, typeof value === 'bigint' ? integerJson(value) : value]),
  );
}

/** The raw event that a JSON has. */
export function rowFromJson(
  columns: Readonly<Record<string, EventColumn>>,
  row: JsonRow,
): Readonly<Record<string, EventValue>> {
  return Object.fromEntries(
    Object.entries(row).map(([column, value]) => {
      const declared = columns[column];
      const isInteger = declared !== undefined && typeOf(declared) === 'BIGINT' && typeof value === 'string';
      return [column, isInteger && /^-?\d+$/.test(value) ? BigInt(value) : value];
    }),
  );
}

function integerJson(value: bigint): number | string {
  return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
}

/** The digest of an event, or of the rows of a context in their order, by which the request log keeps it. */
export function digestOfRows(rows: EventRow | readonly EventRow[]): Digest {
  return digestOf(rowsJson(rows));
}

/** Raw events as canonical JSON. An integer that no double holds is its text there. */
export function rowsJson(rows: EventRow | readonly EventRow[]): string {
  return canonicalJson(isRows(rows) ? rows.map(rowToJson) : rowToJson(rows));
}

function isRows(rows: EventRow | readonly EventRow[]): rows is readonly EventRow[] {
  return Array.isArray(rows);
}
