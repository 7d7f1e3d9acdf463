import { z } from 'zod';
import { Role } from './role.ts';

/** How many people of a role have to agree. */
export const ApprovalRule = z.strictObject({
  /** The role whose members count, a group of control's user pool, e.g. `'ml-lead'`. */
  role: Role,
  /** How many different people of that role have to agree, e.g. 1. */
  count: z.int().min(1).max(5),
});
export type ApprovalRule = z.infer<typeof ApprovalRule>;
