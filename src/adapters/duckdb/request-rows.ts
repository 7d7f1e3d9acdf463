import { GatehouseError } from '#domain/error.ts';
import { type ColumnType, type EventColumn, type ModelDefinition, typeOf } from '#domain/model/definition.ts';
import type { Refusal } from '#domain/refusal/refusal.ts';
import type { EventRow } from '#ports/online-features.ts';
import { addDays } from '#domain/data/partition.ts';
import type { Refused } from './database.ts';

/** A value as the engine stores it: timestamps are microseconds and dates are days since 1970. */
export type Stored = string | number | bigint | boolean | null;

/** An event in the types of its columns. */
interface TypedEvent {
  readonly id: string;
  readonly at: bigint;
  readonly day: string;
  /** In the order of the declared columns. */
  readonly values: readonly Stored[];
  /** Equal for equal events. */
  readonly key: string;
}

/** The events of a request as a day of a batch would have them. */
export interface RequestRows {
  readonly kind: 'rows';
  readonly day: string;
  /** The ids of the requested events, as text, in their order. */
  readonly asked: readonly string[];
  /** What goes into table `events`: by day, time and id, each once. */
  readonly rows: readonly (readonly Stored[])[];
  /** How many of them are of the day. */
  readonly ofDay: number;
}

type Definition = Pick<ModelDefinition, 'events' | 'features' | 'online'>;

/** Types a request's events, or refuses the first that no partition could hold; what is found names the event and its column. */
export function requestRows(
  definition: Definition,
  request: { readonly events: readonly EventRow[]; readonly context: readonly EventRow[] },
): RequestRows | Refused {
  const { events, features, online } = definition;
  const most = online?.maxRows ?? 0;
  const count = request.events.length;
  if (count === 0 || count > most)
    return refused('request-size', `${count} events`, `ask about 1 to ${most} events at once`);
  const typed: { readonly event: TypedEvent; readonly what: string }[] = [];
  for (const [kind, rows] of [
    ['event', request.events],
    ['context event', request.context],
  ] as const)
    for (const [index, row] of rows.entries()) {
      const what = `${kind} ${index}`;
      const event = typedEvent(events, row);
      if ('rule' in event) return refused(event.rule, `${what}: ${event.found}`, event.remedy);
      typed.push({ event, what });
    }
  const day = typed[0]?.event.day ?? '';
  const first = addDays(day, -features.eventDays);
  const strange = typed.find(({ event }, index) => (index < count ? event.day !== day : event.day > day));
  if (strange !== undefined) {
    const found = `${strange.what}: ${events.time} is of ${strange.event.day}, and that of event 0 of ${day} (UTC)`;
    return refused('request-of-one-day', found, 'ask about events of one UTC day at once, with none of a later day');
  }
  const known = new Map<string, TypedEvent>();
  const byId = new Map<string, string>();
  for (const { event, what } of typed) {
    // A batch of the day does not see what lies further back.
    if (event.day < first || known.has(event.key)) continue;
    known.set(event.key, event);
    if (event.day !== day) continue;
    const other = byId.get(event.id);
    if (other !== undefined)
      return refused(
        'event-ids-unique',
        `${what}: ${events.id} ${shown(event.id)}, as ${other}, with other values`,
        'send an event once',
      );
    byId.set(event.id, what);
  }
  const inOrder = [...known.values()].sort((a, b) => (a.at === b.at ? compare(a.id, b.id) : compare(a.at, b.at)));
  return {
    kind: 'rows',
    day,
    asked: typed.slice(0, count).map(({ event }) => event.id),
    rows: inOrder.map(({ values }) => values),
    ofDay: byId.size,
  };
}

/** Events with a text that is equal for equal events, however their times and numbers were written. @throws GatehouseError `BAD_DOCUMENT` */
export function keyedEvents(
  { events }: Pick<Definition, 'events'>,
  rows: readonly EventRow[],
): readonly { readonly row: EventRow; readonly at: bigint; readonly key: string }[] {
  return rows.map((row) => {
    const event = typedEvent(events, row);
    if ('rule' in event) throw new GatehouseError('BAD_DOCUMENT', `an event is not valid: ${event.found}`);
    return { row, at: event.at, key: event.key };
  });
}

function typedEvent(events: Definition['events'], row: EventRow): TypedEvent | Refusal {
  const at = row[events.time];
  const day = typeof at === 'string' ? at.slice(0, 10) : undefined;
  const values: Stored[] = [];
  let [id, microseconds] = ['', 0n];
  for (const [column, declared] of Object.entries(events.columns)) {
    const given = valueOf(declared, row[column], day);
    if (given === undefined)
      return {
        rule: 'request-columns-declared',
        found: `column ${column} is missing`,
        remedy: 'send each declared column',
      };
    const isKey = column === events.id || column === events.time;
    if (given === null && isKey)
      return { rule: 'row-keys-present', found: `column ${column} is null`, remedy: 'send id and time of each event' };
    const type = typeOf(declared);
    const value = given === null ? null : stored(type, given);
    if (value === undefined) {
      const found = `column ${column} is ${shown(given)}, declared ${type}`;
      return { rule: 'request-columns-declared', found, remedy: `send ${ALLOWED[type]}` };
    }
    if (column === events.id) id = String(value);
    if (column === events.time) microseconds = value as bigint;
    values.push(value);
  }
  const key = JSON.stringify(values.map((value) => (typeof value === 'bigint' ? String(value) : value)));
  return { id, at: microseconds, day: day ?? '', values, key };
}

/** What a row has in a column; before a later column is there, its default. */
function valueOf(declared: EventColumn, given: EventRow[string] | undefined, day: string | undefined) {
  return given === undefined && typeof declared === 'object' && day !== undefined && day < declared.since
    ? declared.default
    : given;
}

const ALLOWED: Readonly<Record<ColumnType, string>> = {
  VARCHAR: 'a text',
  TIMESTAMP: 'a UTC time such as 2026-11-01T00:00:00Z, of at most microseconds',
  DATE: 'a day such as 2026-11-01',
  BOOLEAN: 'true or false',
  INTEGER: 'a whole number of 32 bits',
  BIGINT: 'a whole number of 64 bits',
  DOUBLE: 'a finite number',
};

/** A value in its column's type; undefined where it is none of it. */
function stored(type: ColumnType, given: NonNullable<EventRow[string]>): Stored | undefined {
  switch (type) {
    case 'VARCHAR':
      return typeof given === 'string' && given.isWellFormed() ? given : undefined;
    case 'TIMESTAMP':
      return typeof given === 'string' ? microsecondsOf(given) : undefined;
    case 'DATE': {
      const midnight =
        typeof given === 'string' && given.length === 10 ? microsecondsOf(`${given}T00:00:00`) : undefined;
      return midnight === undefined ? undefined : Number(midnight / 86_400_000_000n);
    }
    case 'BOOLEAN':
      return typeof given === 'boolean' ? given : undefined;
    case 'INTEGER':
      return (typeof given === 'number' || typeof given === 'bigint') && Number(given) === (Number(given) | 0)
        ? Number(given)
        : undefined;
    case 'BIGINT': {
      if (typeof given === 'number') return Number.isSafeInteger(given) ? BigInt(given) : undefined;
      return typeof given === 'bigint' && BigInt.asIntN(64, given) === given ? given : undefined;
    }
    case 'DOUBLE':
      return typeof given === 'number' && Number.isFinite(given) ? given : undefined;
  }
}

/** Microseconds since 1970 of a UTC time; undefined where a text is none. */
export function microsecondsOf(text: string): bigint | undefined {
  const [, date, time, fraction = ''] =
    /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}:\d{2})(?:\.(\d{1,6}))?(?:Z|\+00:00)?$/.exec(text) ?? [];
  if (date === undefined || time === undefined) return undefined;
  const at = new Date(`${date}T${time}Z`);
  // 31 February would be a day of March, and 24:00:00 one of the day after; what is no time at all has no day.
  if (at.getUTCDate() !== Number(date.slice(8))) return undefined;
  return BigInt(at.getTime()) * 1000n + BigInt(fraction.padEnd(6, '0'));
}

function compare<T extends string | bigint>(a: T, b: T): number {
  return a < b ? -1 : Number(a > b);
}

function shown(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value.slice(0, 80)) : String(value);
}

function refused(rule: Refusal['rule'], found: string, remedy: string): Refused {
  return { kind: 'refused', refusal: { rule, found, remedy } };
}
