import { DescribeKeyCommand, type KMSClient, KMSServiceException, NotFoundException } from '@aws-sdk/client-kms';
import type { Keys } from '#ports/keys.ts';

/** What KMS says of keys, by their aliases. */
export function kmsKeys(client: KMSClient): Keys {
  return {
    async describe(alias) {
      try {
        const { KeyMetadata: key } = await client.send(new DescribeKeyCommand({ KeyId: alias }));
        return {
          kind: 'key',
          state: key?.KeyState ?? 'unknown',
          usage: key?.KeyUsage ?? 'nothing',
          ...(key?.DeletionDate === undefined ? {} : { deletionAt: key.DeletionDate.toISOString() }),
        };
      } catch (error) {
        if (error instanceof NotFoundException) return { kind: 'missing' };
        if (error instanceof KMSServiceException && error.$fault === 'client' && error.$retryable === undefined)
          return { kind: 'unreadable', why: `${error.name}: ${error.message}`.slice(0, 200) };
        throw error;
      }
    },
  };
}
