import type { KeyState } from '#domain/rollback-readiness/keys.ts';

/** Describes the account's keys, and uses none. */
export interface Keys {
  /** @param alias such as `alias/gatehouse-prod-signing` */
  describe(alias: string): Promise<KeyState>;
}
