import { hash } from 'node:crypto';
import canonicalize from 'canonicalize';
import { z } from 'zod';
import { GatehouseError } from '../error.ts';
import { issueMessages, issueText } from '../issues.ts';

/** The SHA-256 of some bytes, written `sha256:<64 lower-case hex digits>`. */
export const Digest = z
  .string()
  .regex(/^sha256:[0-9a-f]{64}$/, 'expected sha256:<64 hex digits>')
  .brand<'Digest'>();
export type Digest = z.infer<typeof Digest>;

/** The digest of bytes, or of a string's UTF-8 bytes. */
export function digestOf(content: Uint8Array | string): Digest {
  // What the hash is written in is the one form that the schema takes.
  return `sha256:${hash('sha256', content)}` as Digest;
}

/** The canonical JSON text of a value (RFC 8785): the only text that is hashed or signed. */
export function canonicalJson(value: unknown): string {
  const quick = ordered(value);
  // What JSON.stringify writes is canonical but for the order of names.
  const text = quick === RARE ? canonicalize(value) : JSON.stringify(quick);
  if (text === undefined)
    throw new GatehouseError('NOT_CANONICAL', 'value has no canonical JSON', { type: typeof value });
  return text;
}

const RARE = Symbol('rare');
/** Names that an object enumerates before all others, whatever the order in which they were given. */
const ARRAY_INDEX = /^\d+$/;

/** A JSON value with its names in order, or `RARE` for what only the library knows how to write, or to refuse. */
function ordered(value: unknown): unknown {
  if (value === null || typeof value === 'boolean') return value;
  if (typeof value === 'string') return value.isWellFormed() ? value : RARE;
  if (typeof value === 'number') return Number.isFinite(value) ? value : RARE;
  if (typeof value !== 'object') return RARE;
  if (Array.isArray(value)) return orderedList(value);
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype ? orderedObject(value as Readonly<Record<string, unknown>>) : RARE;
}

function orderedList(list: readonly unknown[]): unknown {
  const copy: unknown[] = [];
  for (const each of list) {
    const inner = ordered(each);
    if (inner === RARE) return RARE;
    copy.push(inner);
  }
  return copy;
}

function orderedObject(value: Readonly<Record<string, unknown>>): unknown {
  const copy: Record<string, unknown> = {};
  for (const name of Object.keys(value).sort()) {
    const inner = value[name];
    const each = inner === undefined ? undefined : ordered(inner);
    if (each === RARE || ARRAY_INDEX.test(name) || name === '__proto__' || name === 'toJSON' || !name.isWellFormed())
      return RARE;
    copy[name] = each;
  }
  return copy;
}

/** The digest of a value's canonical JSON. */
export function digestOfJson(value: unknown): Digest {
  return digestOf(canonicalJson(value));
}

/**
 * Parses a canonical document. Bytes that are not the canonical form of what they say are refused, which excludes
 * duplicate keys, disorder and white space without a parser of our own.
 */
export function parseCanonical<T>(schema: z.ZodType<T>, bytes: Uint8Array | string, what: string): T {
  const text = typeof bytes === 'string' ? bytes : new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch (cause) {
    throw new GatehouseError('BAD_DOCUMENT', `${what} is not JSON`, { what }, cause);
  }
  if (canonicalJson(raw) !== text)
    throw new GatehouseError('NOT_CANONICAL', `${what} is not canonical JSON (RFC 8785)`, { what });
  return parseDocument(schema, raw, what);
}

/** Parses a value by its schema; the error names each field, the value's problem and the document. */
export function parseDocument<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const result = schema.safeParse(value, { error: issueMessages });
  if (result.success) return result.data;
  const issues = result.error.issues.map((issue) => `${issue.path.join('.') || '(root)'}: ${issueText(issue)}`);
  throw new GatehouseError('BAD_DOCUMENT', `${what} is not valid: ${issues.join('; ')}`, { what, issues });
}
