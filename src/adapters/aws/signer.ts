import { createHash } from 'node:crypto';
import { GetPublicKeyCommand, type KMSClient, SignCommand } from '@aws-sdk/client-kms';
import { GatehouseError } from '#domain/error.ts';
import type { Signer } from '#ports/signer.ts';

/** Signs with a KMS key (ECC_NIST_P256) that never leaves KMS; only the message's SHA-256 is sent. */
export function kmsSigner(client: KMSClient, keyId: string): Signer {
  let pem: Promise<string> | undefined;
  const load = async (): Promise<string> => {
    const { PublicKey: der } = await client.send(new GetPublicKeyCommand({ KeyId: keyId }));
    if (der === undefined) throw new GatehouseError('NO_PUBLIC_KEY', `KMS gave no public key for ${keyId}`, { keyId });
    const lines =
      Buffer.from(der)
        .toString('base64')
        .match(/.{1,64}/g) ?? [];
    return `-----BEGIN PUBLIC KEY-----\n${lines.join('\n')}\n-----END PUBLIC KEY-----\n`;
  };
  return {
    publicKeyPem: () => (pem ??= load()),
    async sign(message) {
      const { Signature: signature } = await client.send(
        new SignCommand({
          KeyId: keyId,
          Message: createHash('sha256').update(message).digest(),
          MessageType: 'DIGEST',
          SigningAlgorithm: 'ECDSA_SHA_256',
        }),
      );
      if (signature === undefined)
        throw new GatehouseError('NO_SIGNATURE', `KMS gave no signature by ${keyId}`, { keyId });
      return signature;
    },
  };
}
