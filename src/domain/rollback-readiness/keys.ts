import { type FailedCondition, failed } from './conditions.ts';

/** What a key is for, and what KMS must say that it is used for. */
export const KEY_USAGES = { signing: 'SIGN_VERIFY', 'request log': 'ENCRYPT_DECRYPT' } as const;
export type KeyPurpose = keyof typeof KEY_USAGES;

/** What KMS says of a key. */
export type KeyState =
  | { readonly kind: 'key'; readonly state: string; readonly usage: string; readonly deletionAt?: string }
  | { readonly kind: 'missing' }
  | { readonly kind: 'unreadable'; readonly why: string };

export interface DescribedKey {
  readonly purpose: KeyPurpose;
  readonly alias: string;
  readonly key: KeyState;
}

/** Why a rollback could not be recorded, published or answered for: a key of it cannot be used. */
export function whyNotUsable(keys: readonly DescribedKey[]): readonly FailedCondition[] {
  const problems = keys.flatMap(({ purpose, alias, key }) => {
    const why = problemOf(purpose, key);
    return why === undefined ? [] : [`the ${purpose} key ${alias} ${why}`];
  });
  return problems.length === 0 ? [] : [failed('keys', problems.join('; '))];
}

function problemOf(purpose: KeyPurpose, key: KeyState): string | undefined {
  switch (key.kind) {
    case 'missing':
      return 'is not there';
    case 'unreadable':
      return `cannot be described: ${key.why}`;
    case 'key': {
      const wanted = KEY_USAGES[purpose];
      if (key.state !== 'Enabled')
        return `is ${key.state}${key.deletionAt === undefined ? '' : `, to be deleted at ${key.deletionAt}`}`;
      return key.usage === wanted ? undefined : `is for ${key.usage}, not ${wanted}`;
    }
  }
}
