import { z } from 'zod';

/** The groups of the user pool: a role is a group. */
export const Role = z.enum(['ml-engineer', 'ml-lead', 'platform', 'risk']);
export type Role = z.infer<typeof Role>;
/** The roles whose members may request a promotion. A request only opens the promotion, whose gates and approvals decide. */
export const REQUESTING_ROLES: readonly Role[] = ['ml-engineer', 'ml-lead', 'platform'];
