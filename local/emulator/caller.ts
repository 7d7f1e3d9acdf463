import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';

/**
 * Tells the account of a signed request to a subset of AWS; undefined where it is not signed or the key belongs to none. On the
 * emulator a user's access key id *is* the account; a role's temporary key is one that the emulator can resolve.
 */
export function callerAccount(emulator: {
  readonly endpoint: string;
  readonly region: string;
}): (authorization: string, token: string | undefined) => Promise<string | undefined> {
  const known = new Map<string, string>();
  return async (authorization, token) => {
    const key = /Credential=([^/,\s]+)\//.exec(authorization)?.[1];
    if (key === undefined || /^\d{12}$/.test(key)) return key;
    const remembered = known.get(key);
    if (remembered !== undefined) return remembered;
    const credentials = {
      accessKeyId: key,
      secretAccessKey: 'test',
      ...(token !== undefined && { sessionToken: token }),
    };
    const { endpoint, region } = emulator;
    const { Account } = await new STSClient({ endpoint, region, credentials }).send(new GetCallerIdentityCommand({}));
    if (Account !== undefined) known.set(key, Account);
    return Account;
  };
}
