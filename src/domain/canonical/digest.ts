import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import { z } from 'zod';
import { GatehouseError } from '../error.ts';

/** The SHA-256 of some bytes, written `sha256:<64 lower-case hex digits>`. */
export const Digest = z
  .string()
  .regex(/^sha256:[0-9a-f]{64}$/, 'expected sha256:<64 hex digits>')
  .brand<'Digest'>();
export type Digest = z.infer<typeof Digest>;

/** The digest of bytes, or of a string's UTF-8 bytes. */
export function digestOf(content: Uint8Array | string): Digest {
  return Digest.parse(`sha256:${createHash('sha256').update(content).digest('hex')}`);
}

/** The canonical JSON text of a value (RFC 8785): the only text that is hashed or signed. */
export function canonicalJson(value: unknown): string {
  const text = canonicalize(value);
  if (text === undefined)
    throw new GatehouseError('NOT_CANONICAL', 'value has no canonical JSON', { type: typeof value });
  return text;
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
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issues = result.error.issues.map((issue) => `${issue.path.join('.') || '(root)'}: ${issue.message}`);
  throw new GatehouseError('BAD_DOCUMENT', `${what} is not valid: ${issues.join('; ')}`, { what, issues });
}
