import * as fc from 'fast-check';
import { z } from 'zod';

/** A JSON schema, as far as contracts are written in it. */
export interface Schema {
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  /** That no value is of it. */
  readonly not?: Schema;
  readonly minItems?: number;
  readonly minimum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly format?: string;
}

export const TEXT: Schema = { type: 'string' };

const taken = new Map<z.ZodType, Schema>();

/** What a schema lets out, as data that can be taken apart. */
export function schemaOf(schema: z.ZodType): Schema {
  const known = taken.get(schema);
  if (known !== undefined) return known;
  const made = z.toJSONSchema(schema, { io: 'output', unrepresentable: 'any' }) as Schema;
  taken.set(schema, made);
  return made;
}

export function object(properties: Readonly<Record<string, Schema>>): Schema {
  return { type: 'object', properties, required: Object.keys(properties) };
}

/** The shapes that a value may have. */
function variantsOf(schema: Schema): readonly Schema[] {
  const { anyOf, oneOf, type, not, ...rest } = schema;
  if (not !== undefined) return [];
  const variants =
    anyOf ?? oneOf ?? (typeof type === 'object' ? type.map((each) => ({ ...rest, type: each })) : undefined);
  return variants === undefined ? [schema] : variants.flatMap(variantsOf);
}

export function union(schemas: readonly Schema[]): Schema {
  const different = new Map(schemas.flatMap(variantsOf).map((each) => [JSON.stringify(each), each]));
  const [only, ...more] = different.values();
  return only !== undefined && more.length === 0 ? only : { anyOf: [...different.values()] };
}

/** What is at a path such as `$.planned.kind`, which each shape must have. */
export function at(path: string, schema: Schema): Schema {
  return path
    .split('.')
    .slice(1)
    .reduce((found, name) => {
      const inner = variantsOf(found).map((variant) =>
        variant.required?.includes(name) === true ? variant.properties?.[name] : undefined,
      );
      const there = inner.filter((each) => each !== undefined);
      if (there.length === 0) throw new Error(`no state has written ${path}`);
      if (there.length < inner.length) throw new Error(`${path} is not in each ${shapes(found)}`);
      return union(there);
    }, schema);
}

function shapes(schema: Schema): string {
  return variantsOf(schema)
    .map(({ type, properties = {} }) =>
      type === 'object' ? `{ ${Object.keys(properties).join(', ')} }` : String(type),
    )
    .join(' | ');
}

/** A document whose value at a path is one of those that a test lets through; undefined where there is none. */
export function where(path: string, schema: Schema, test: (value: unknown) => boolean): Schema | undefined {
  const narrowed = (found: Schema, names: readonly string[]): Schema | undefined => {
    const [name, ...rest] = names;
    const kept = variantsOf(found).flatMap((variant): Schema[] => {
      if (name === undefined) {
        const values = variant.enum ?? ('const' in variant ? [variant.const] : undefined);
        if (values === undefined) throw new Error(`${path} is not an enumeration`);
        return values.filter(test).map((value) => ({ const: value }));
      }
      const inner = narrowed(variant.properties?.[name] ?? {}, rest);
      return inner === undefined ? [] : [{ ...variant, properties: { ...variant.properties, [name]: inner } }];
    });
    return kept.length === 0 ? undefined : union(kept);
  };
  at(path, schema);
  return narrowed(schema, path.split('.').slice(1));
}

/** What an array's elements are. */
export function elementOf(schema: Schema): Schema {
  const elements = variantsOf(schema).map(({ type, items }) => (type === 'array' ? items : undefined));
  const there = elements.filter((each) => each !== undefined);
  if (there.length < elements.length) throw new Error(`no array: ${shapes(schema)}`);
  return union(there);
}

/** How many elements an array has at least. */
export function fewest(schema: Schema): number {
  return Math.min(...variantsOf(schema).map(({ minItems }) => minItems ?? 0));
}

/** A document with one more field. */
export function withField(document: Schema, name: string, field: Schema): Schema {
  return union(
    variantsOf(document).map((variant) => ({
      ...variant,
      properties: { ...variant.properties, [name]: field },
      required: [...new Set([...(variant.required ?? []), name])],
    })),
  );
}

/** Values of a schema: each variant, each word of an enumeration, optional names there and not there, lists with and without elements. */
export function samplesOf(schema: Schema): readonly unknown[] {
  const variants = variantsOf(schema);
  if (variants.length !== 1) return variants.flatMap(samplesOf);
  const [one = {}] = variants;
  if ('const' in one) return [one.const];
  if (one.enum !== undefined) return one.enum;
  switch (one.type) {
    case 'string':
      return [textOf(one)];
    case 'integer':
    case 'number':
      return [Math.max(one.minimum ?? 1, 1)];
    case 'boolean':
      return [true, false];
    case 'null':
      return [null];
    case 'array': {
      const elements = samplesOf(one.items ?? {});
      return (one.minItems ?? 0) > 0 ? [elements] : [elements, []];
    }
    case 'object': {
      const fields = Object.entries(one.properties ?? {}).map(([name, field]) => ({ name, samples: samplesOf(field) }));
      const objects = Array.from({ length: Math.max(1, ...fields.map(({ samples }) => samples.length)) }, (_, index) =>
        Object.fromEntries(fields.map(({ name, samples }) => [name, samples[index % samples.length]])),
      );
      const needed = fields.filter(({ name }) => one.required?.includes(name) === true);
      const bare = Object.fromEntries(needed.map(({ name, samples }) => [name, samples[0]]));
      return needed.length === fields.length ? objects : [...objects, bare];
    }
    default:
      return ['anything'];
  }
}

const texts = new Map<string, readonly string[]>();

function textOf({ format, pattern, minLength = 1, maxLength = Infinity }: Schema): string {
  if (format === 'date') return '2026-03-02';
  if (format === 'date-time') return '2026-03-02T09:00:00.000Z';
  if (pattern === undefined) return 'x'.repeat(Math.max(minLength, 4));
  const known = texts.get(pattern) ?? fc.sample(fc.stringMatching(new RegExp(pattern)), { numRuns: 20, seed: 1 });
  texts.set(pattern, known);
  return known.find(({ length }) => length >= minLength && length <= maxLength) ?? '';
}
