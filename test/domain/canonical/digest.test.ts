import canonicalize from 'canonicalize';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  canonicalJson,
  Digest,
  digestOf,
  digestOfJson,
  parseCanonical,
  parseDocument,
} from '#domain/canonical/digest.ts';

describe('canonical documents', () => {
  it('have the digests that everybody gets', () => {
    expect(digestOf('')).toBe('sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
    expect(digestOf('abc')).toBe('sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
    expect(digestOf(new TextEncoder().encode('ä'))).toBe(digestOf('ä'));
    expect(Digest.safeParse('sha256:abc').success).toBe(false);
    expect(Digest.safeParse(digestOf('a').toUpperCase()).success).toBe(false);
  });

  it('are written as RFC 8785 has it', () => {
    expect(canonicalJson({ b: [1, 2.5, 1e21, 1e-7], a: 'ö\n', '€': null, A: true })).toBe(
      '{"A":true,"a":"ö\\n","b":[1,2.5,1e+21,1e-7],"€":null}',
    );
    expect(() => canonicalJson(undefined)).toThrow(expect.objectContaining({ code: 'NOT_CANONICAL' }));
    for (const number of [Number.NaN, Number.POSITIVE_INFINITY]) expect(() => canonicalJson({ number })).toThrow();
  });

  it('are what the library writes, and refused where it refuses', () => {
    const rare = fc.constantFrom(undefined, Number.NaN, -0, '\uD800', new Date(0), 1n, new Map(), { toJSON: () => 1 });
    const names = fc.oneof(fc.string(), fc.constantFrom('10', '9', '__proto__', '\uDC00', 'toJSON', 'é', '€'));
    const { value } = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        fc.jsonValue(),
        rare,
        fc.array(tie('value')),
        fc.array(fc.tuple(names, tie('value'))).map((entries) => Object.fromEntries(entries)),
      ),
    }));
    const outcome = (write: () => string | undefined): string => {
      try {
        return write() ?? 'nothing';
      } catch {
        return 'nothing';
      }
    };
    fc.assert(
      fc.property(value, (given) => {
        expect(outcome(() => canonicalJson(given))).toBe(outcome(() => canonicalize(given)));
      }),
      { numRuns: 2000 },
    );
  });

  it('have one digest, in whatever order their fields are', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const turned = Object.fromEntries(Object.entries(value).toReversed());
        expect(digestOfJson(turned)).toBe(digestOfJson(value));
        expect(parseCanonical(z.unknown(), canonicalJson(value), 'value')).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it.each([
    ['white space', '{"a": 1}', 'NOT_CANONICAL'],
    ['a line end', '{"a":1}\n', 'NOT_CANONICAL'],
    ['disorder', '{"b":1,"a":2}', 'NOT_CANONICAL'],
    ['a key twice', '{"a":1,"a":1}', 'NOT_CANONICAL'],
    ['another spelling of a number', '{"a":1.0}', 'NOT_CANONICAL'],
    ['needless escapes', '{"a":"\\u0062"}', 'NOT_CANONICAL'],
    ['a byte order mark', '\uFEFF{"a":1}', 'BAD_DOCUMENT'],
    ['no JSON', '{', 'BAD_DOCUMENT'],
    ['nothing', '', 'BAD_DOCUMENT'],
    ['another shape', '{"b":1}', 'BAD_DOCUMENT'],
  ])('are refused with %s', (_, text, code) => {
    expect(() => parseCanonical(z.strictObject({ a: z.unknown() }), text, 'document')).toThrow(
      expect.objectContaining({ code }),
    );
  });

  it('are refused when their bytes are no text', () => {
    expect(() => parseCanonical(z.unknown(), Uint8Array.of(0x22, 0xff, 0x22), 'document')).toThrow();
  });

  it('say what is wrong with them, field by field', () => {
    const schema = z.strictObject({ name: z.string(), inner: z.strictObject({ count: z.int() }) });
    expect(() => parseDocument(schema, { name: 1, inner: { count: 1.5 }, extra: 1 }, 'the thing')).toThrow(
      /the thing is not valid: .*name.*inner\.count.*extra/s,
    );
  });
});
