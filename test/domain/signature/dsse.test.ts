import { createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Envelope, keyIdOf, openEnvelope, preAuthenticationEncoding } from '#domain/signature/dsse.ts';

const coordinate = (number: bigint): string =>
  Buffer.from(number.toString(16).padStart(64, '0'), 'hex').toString('base64url');

/** The test vector of the specification (https://github.com/secure-systems-lab/dsse/blob/master/protocol.md). */
const VECTOR = {
  payloadType: 'http://example.com/HelloWorld',
  payload: 'aGVsbG8gd29ybGQ=',
  sig: 'A3JqsQGtVsJ2O2xqrI5IcnXip5GToJ3F+FnZ+O88SjtR6rDAajabZKciJTfUiHqJPcIAriEGAHTVeCUjW2JIZA==',
  publicKeyPem: createPublicKey({
    format: 'jwk',
    key: {
      kty: 'EC',
      crv: 'P-256',
      x: coordinate(46950820868899156662930047687818585632848591499744589407958293238635476079160n),
      y: coordinate(5640078356564379163099075877009565129882514886557779369047442380624545832820n),
    },
  })
    .export({ type: 'spki', format: 'pem' })
    .toString(),
};

/** The two numbers of a signature as DER has them; the vector has them side by side. */
function derOf(signature: Buffer): Buffer {
  const integer = (bytes: Buffer): Buffer => {
    const first = bytes.findIndex((byte) => byte !== 0);
    const digits = bytes.subarray(first);
    const positive = (digits[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), digits]) : digits;
    return Buffer.concat([Buffer.of(2, positive.length), positive]);
  };
  const both = Buffer.concat([integer(signature.subarray(0, 32)), integer(signature.subarray(32))]);
  return Buffer.concat([Buffer.of(0x30, both.length), both]);
}

const vector: Envelope = {
  payloadType: VECTOR.payloadType,
  payload: VECTOR.payload,
  signatures: [
    { keyid: keyIdOf(VECTOR.publicKeyPem), sig: derOf(Buffer.from(VECTOR.sig, 'base64')).toString('base64') },
  ],
};

describe('DSSE', () => {
  it('encodes what is signed as the specification does', () => {
    const encoded = preAuthenticationEncoding(VECTOR.payloadType, Buffer.from(VECTOR.payload, 'base64'));
    expect(Buffer.from(encoded).toString()).toBe('DSSEv1 29 http://example.com/HelloWorld 11 hello world');
  });

  it('counts bytes, not characters', () => {
    expect(Buffer.from(preAuthenticationEncoding('tüp', Buffer.from('€'))).toString()).toBe('DSSEv1 4 tüp 3 €');
  });

  it('never encodes two different things alike', () => {
    const text = fc.string({ maxLength: 12 });
    fc.assert(
      fc.property(text, text, text, text, (typeA, a, typeB, b) => {
        fc.pre(typeA !== typeB || a !== b);
        const [first, second] = [
          preAuthenticationEncoding(typeA, Buffer.from(a)),
          preAuthenticationEncoding(typeB, Buffer.from(b)),
        ];
        expect(Buffer.from(first).equals(Buffer.from(second))).toBe(false);
      }),
    );
  });

  it('opens the envelope of the specification', () => {
    expect(Buffer.from(openEnvelope(vector, VECTOR.payloadType, VECTOR.publicKeyPem)).toString()).toBe('hello world');
  });

  it('refuses any change of type, payload or signature', () => {
    const refused = expect.objectContaining({ code: 'BAD_SIGNATURE' });
    const open =
      (envelope: Envelope, type = VECTOR.payloadType) =>
      () =>
        openEnvelope(envelope, type, VECTOR.publicKeyPem);
    expect(open(vector, 'another/type')).toThrow(refused);
    expect(open({ ...vector, payloadType: 'another/type' }, 'another/type')).toThrow(refused);
    expect(open({ ...vector, payloadType: 'another/type' })).toThrow(refused);
    expect(open({ ...vector, payload: Buffer.from('hello worlD').toString('base64') })).toThrow(refused);
    expect(open({ ...vector, signatures: [{ keyid: 'other', sig: vector.signatures[0]?.sig ?? '' }] })).toThrow(
      refused,
    );
    const signature = Buffer.from(vector.signatures[0]?.sig ?? '', 'base64');
    fc.assert(
      fc.property(fc.nat(signature.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const broken = Buffer.from(signature);
        broken[at] = (broken[at] ?? 0) ^ flip;
        const signatures = [{ keyid: keyIdOf(VECTOR.publicKeyPem), sig: broken.toString('base64') }];
        expect(open({ ...vector, signatures })).toThrow(refused);
      }),
      { numRuns: 60 },
    );
  });

  it('finds the signature of the key among several', () => {
    const { publicKey, privateKey } = generateKeyPairSync('ec', {
      namedCurve: 'P-256',
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    });
    const bytes = preAuthenticationEncoding(VECTOR.payloadType, Buffer.from('hello world'));
    const own = { keyid: keyIdOf(publicKey), sig: sign('sha256', bytes, privateKey).toString('base64') };
    const both = { ...vector, signatures: [...vector.signatures, own] };
    for (const pem of [VECTOR.publicKeyPem, publicKey])
      expect(Buffer.from(openEnvelope(both, VECTOR.payloadType, pem)).toString()).toBe('hello world');
    // Another key's signature under this key's id is no signature of this key.
    const stolen = { ...vector, signatures: [{ ...own, keyid: keyIdOf(VECTOR.publicKeyPem) }] };
    expect(() => openEnvelope(stolen, VECTOR.payloadType, VECTOR.publicKeyPem)).toThrow(/does not match/);
  });

  it('names a key by its DER form, however its PEM is broken into lines', () => {
    expect(keyIdOf(VECTOR.publicKeyPem)).toMatch(/^[0-9a-f]{64}$/);
    expect(keyIdOf(VECTOR.publicKeyPem.trim())).toBe(keyIdOf(VECTOR.publicKeyPem));
  });
});
