import { z } from 'zod';
import { type ColumnType, type EventColumn, type ModelDefinition, typeOf } from '#domain/model/definition.ts';
import { refusal, type Refusal, type Refusing } from '#domain/refusal/refusal.ts';
import type { EventRow } from '#ports/online-features.ts';
import { CONTEXT, DATATYPES, type InferenceRequest, type InputTensor, NULLS } from './protocol.ts';

/** The raw events of a request and their context, or why they are none. */
export type ReadRows =
  | { readonly kind: 'read'; readonly events: readonly EventRow[]; readonly context: readonly EventRow[] }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

type Value = EventRow[string];

/** Thrown and caught in this file only: a request is read by many small steps, each of which may refuse it. */
class RefusedInput extends Error {
  readonly refusal: Refusal;

  constructor(...why: Refusing) {
    super(why[1]);
    this.refusal = refusal(...why);
  }
}

/** Makes raw events of the tensors of a request, one input for each event column, and one for each column of the context. */
export function readRows(definition: ModelDefinition, request: InferenceRequest): ReadRows {
  try {
    const { events, online } = definition;
    const takesContext = (online?.context ?? []).length > 0;
    const prefixes = takesContext ? ['', CONTEXT] : [''];
    const known = new Set(prefixes.flatMap((prefix) => Object.keys(events.columns).map((name) => prefix + name)));
    const tensors = new Map<string, InputTensor>();
    for (const tensor of request.inputs) {
      if (!known.has(tensor.name)) throw new RefusedInput('inputs-known', `input ${tensor.name} is no event column`);
      if (tensors.has(tensor.name)) throw new RefusedInput('inputs-complete', `input ${tensor.name} is there twice`);
      tensors.set(tensor.name, tensor);
    }
    for (const name of Object.keys(request.parameters ?? {})) {
      if (!name.startsWith(NULLS) || tensors.has(name.slice(NULLS.length))) continue;
      throw new RefusedInput('inputs-known', `parameter ${name} is of no input`);
    }
    const rows = (prefix: string): readonly EventRow[] => rowsOf(definition, prefix, tensors, request.parameters ?? {});
    return { kind: 'read', events: rows(''), context: takesContext ? rows(CONTEXT) : [] };
  } catch (error) {
    if (error instanceof RefusedInput) return { kind: 'refused', refusal: error.refusal };
    throw error;
  }
}

function rowsOf(
  { events }: ModelDefinition,
  prefix: string,
  tensors: ReadonlyMap<string, InputTensor>,
  parameters: NonNullable<InferenceRequest['parameters']>,
): readonly EventRow[] {
  const time = tensors.get(prefix + events.time);
  if (time === undefined) throw new RefusedInput('inputs-complete', `input ${prefix}${events.time} is missing`);
  const times = valuesOf(time, events.columns[events.time] ?? 'TIMESTAMP', parameters, true);
  const columns = Object.entries(events.columns).map(([column, declared]): readonly [string, readonly Value[]] => {
    const tensor = tensors.get(prefix + column);
    if (tensor === undefined) return [column, times.map((at) => beforeSince(prefix + column, declared, String(at)))];
    const values = column === events.time ? times : valuesOf(tensor, declared, parameters, column === events.id);
    if (values.length === times.length) return [column, values];
    const found = `input ${tensor.name} has ${values.length} rows, input ${time.name} has ${times.length}`;
    throw new RefusedInput('input-shape', found, 'send one value per row in each input');
  });
  return times.map((_, row) => Object.fromEntries(columns.map(([column, values]) => [column, values[row] ?? null])));
}

/** What a column that a request leaves out reads as: as in a file of events of a day before the column was there. */
function beforeSince(input: string, declared: EventColumn, at: string): Value {
  if (typeof declared === 'object' && at.slice(0, 10) < declared.since) return declared.default;
  throw new RefusedInput('inputs-complete', `input ${input} is missing`);
}

function valuesOf(
  tensor: InputTensor,
  declared: EventColumn,
  parameters: NonNullable<InferenceRequest['parameters']>,
  isNeeded: boolean,
): readonly Value[] {
  const { name, datatype, shape, data = [] } = tensor;
  const type = typeOf(declared);
  if (datatype !== DATATYPES[type])
    throw new RefusedInput('input-datatype', `input ${name} is ${datatype}, its column is ${DATATYPES[type]}`);
  if (shape.length !== 1 || shape[0] !== data.length) {
    const found = `input ${name} has shape [${shape.join(', ')}] and ${data.length} values`;
    throw new RefusedInput('input-shape', found, 'send shape [rows] and as many values');
  }
  const nulls = nullsOf(name, data.length, parameters);
  return data.map((value, row): Value => {
    if (value === null || nulls.has(row)) {
      if (!isNeeded) return null;
      throw new RefusedInput('input-nulls', `input ${name} is null in row ${row}`, 'send its value: no event lacks it');
    }
    const read = READ[type](value);
    if (read !== undefined) return read;
    const text = typeof value === 'string' ? JSON.stringify(value) : String(value);
    throw new RefusedInput('input-values', `input ${name} is ${text.slice(0, 80)} in row ${row}`, EXPECTED[type]);
  });
}

/** The rows that a request parameter says are null, for clients whose tensors hold none. */
function nullsOf(
  name: string,
  rows: number,
  parameters: NonNullable<InferenceRequest['parameters']>,
): ReadonlySet<number> {
  const said = parameters[NULLS + name];
  if (said === undefined || said === '') return new Set();
  const indices = String(said).split(',');
  const wrong = indices.find((index) => !/^\d{1,9}$/.test(index) || Number(index) >= rows);
  if (wrong === undefined) return new Set(indices.map(Number));
  const found = `parameter ${NULLS}${name} names row ${wrong.slice(0, 20)}, the input has ${rows}`;
  throw new RefusedInput('input-nulls', found, 'name rows by their indices from 0, joined by commas');
}

type Given = NonNullable<InputTensor['data']>[number];
type Reader = (value: Given) => Value | undefined;

const IsoTime = z.iso.datetime();
const IsoDay = z.iso.date();
/** DuckDB keeps microseconds. */
const FRACTION = /\.\d{7,}Z$/;

const text: Reader = (value) => (typeof value === 'string' && value.isWellFormed() ? value : undefined);

function integer(from: bigint, to: bigint): Reader {
  return (value) => {
    if (typeof value !== 'bigint' && !(typeof value === 'number' && Number.isSafeInteger(value))) return undefined;
    return BigInt(value) >= from && BigInt(value) <= to ? value : undefined;
  };
}

const READ: Readonly<Record<ColumnType, Reader>> = {
  VARCHAR: text,
  TIMESTAMP: (value) => (IsoTime.safeParse(value).success && !FRACTION.test(String(value)) ? text(value) : undefined),
  DATE: (value) => (IsoDay.safeParse(value).success ? text(value) : undefined),
  BOOLEAN: (value) => (typeof value === 'boolean' ? value : undefined),
  INTEGER: integer(-(2n ** 31n), 2n ** 31n - 1n),
  BIGINT: integer(-(2n ** 63n), 2n ** 63n - 1n),
  DOUBLE: (value) => {
    if (typeof value !== 'number' && typeof value !== 'bigint') return undefined;
    return Number.isFinite(Number(value)) ? Number(value) : undefined;
  },
};

const EXPECTED: Readonly<Record<ColumnType, string>> = {
  VARCHAR: 'send a text',
  TIMESTAMP: 'send a UTC time such as 2001-01-25T06:30:00Z, with at most six digits after the second',
  DATE: 'send a day such as 2001-01-25',
  BOOLEAN: 'send true or false',
  INTEGER: 'send a whole number of 32 bits',
  BIGINT: 'send a whole number of 64 bits',
  DOUBLE: 'send a finite number',
};
