import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto';
import { z } from 'zod';
import { GatehouseError } from '../error.ts';

/** A DSSE envelope (https://github.com/secure-systems-lab/dsse/blob/master/envelope.md). */
export const Envelope = z.strictObject({
  payloadType: z.string().min(1),
  payload: z.base64(),
  signatures: z.array(z.strictObject({ keyid: z.string().min(1), sig: z.base64() })).min(1),
});
export type Envelope = z.infer<typeof Envelope>;

/** The types of what Gatehouse signs. */
export const PAYLOAD_TYPES = {
  auditRecord: 'application/vnd.gatehouse.audit-record+json',
  pointer: 'application/vnd.gatehouse.pointer+json',
} as const;

/** The pre-authentication encoding: the bytes that are signed, so that a payload is never taken for one of another type. */
export function preAuthenticationEncoding(payloadType: string, payload: Uint8Array): Uint8Array {
  const type = Buffer.from(payloadType, 'utf8');
  return Buffer.concat([Buffer.from(`DSSEv1 ${type.length} `), type, Buffer.from(` ${payload.length} `), payload]);
}

/** The id of a public key: the SHA-256 of its DER form, in hex. */
export function keyIdOf(publicKeyPem: string): string {
  return readKey(publicKeyPem).keyid;
}

/** Keys that were read, by their text: a chain is signed by one key, and reading it takes as long as verifying with it. */
const KEYS = new Map<string, { readonly key: KeyObject; readonly keyid: string }>();
const KEPT_KEYS = 32;

function readKey(publicKeyPem: string): { readonly key: KeyObject; readonly keyid: string } {
  const known = KEYS.get(publicKeyPem);
  if (known !== undefined) return known;
  const key = createPublicKey(publicKeyPem);
  const keyid = createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('hex');
  if (KEYS.size >= KEPT_KEYS) KEYS.clear();
  KEYS.set(publicKeyPem, { key, keyid });
  return { key, keyid };
}

/**
 * The payload of an envelope that the key really signed, for this type (ECDSA on P-256 with SHA-256, DER signature).
 * @throws GatehouseError `BAD_SIGNATURE`
 */
export function openEnvelope(envelope: Envelope, payloadType: string, publicKeyPem: string): Uint8Array {
  const refuse = (why: string): GatehouseError => new GatehouseError('BAD_SIGNATURE', why, { payloadType });
  if (envelope.payloadType !== payloadType)
    throw refuse(`payload type is ${envelope.payloadType}, expected ${payloadType}`);
  const { key, keyid } = readKey(publicKeyPem);
  const signature = envelope.signatures.find((candidate) => candidate.keyid === keyid);
  if (signature === undefined) throw refuse(`no signature by key ${keyid}`);
  const payload = Buffer.from(envelope.payload, 'base64');
  const signed = preAuthenticationEncoding(payloadType, payload);
  if (!verify('sha256', signed, key, Buffer.from(signature.sig, 'base64')))
    throw refuse('the signature does not match');
  return payload;
}
