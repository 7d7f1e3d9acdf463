import { addDays } from '#domain/data/partition.ts';
import type { Policy } from '#domain/policy/policy.ts';
import { definition, deployed, type Environment, SQL } from './_environments.ts';

/** The day as of which releases are promoted here. */
export const FROM = '2001-01-20';
export const day = (count: number): string => addDays(FROM, count);

/** An environment under another policy. */
export const under = (own: Environment, by: Policy): Environment => ({
  ...own,
  deployed: { ...deployed, models: [{ definition, policy: by, sql: { ...SQL }, expectations: {} }] },
});
