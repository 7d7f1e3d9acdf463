import { createSign, generateKeyPairSync } from 'node:crypto';
import type { Signer } from '#ports/signer.ts';

/** A signer with a new key of its own (ECDSA on P-256, SHA-256, DER), as KMS has them. */
export function memorySigner(): Signer {
  const { publicKey, privateKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  return {
    publicKeyPem: () => Promise.resolve(publicKey),
    sign: (message) => Promise.resolve(createSign('sha256').update(message).sign(privateKey)),
  };
}
