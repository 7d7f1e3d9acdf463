import { z } from 'zod';

/** Within what time people act, and how often what is stored is looked at. */
export const OperationsRule = z.strictObject({
  /** Minutes in which each role of the model's `escalation` has to acknowledge an incident before the next is notified, e.g. 60. A model may only lower it; default: the floor’s. */
  acknowledgeMinutes: z.int().min(5).max(10_080),
  /** Hours in which an incident's root cause is due, e.g. 48. A model may only lower it; default: the floor’s. */
  rootCauseHours: z.int().min(1).max(720),
  /** Days in which each stored object is hashed again, e.g. 30. The floor alone says so. */
  rehashDays: z.int().min(1).max(365),
  /** Days for which what a rollback would go back to has to be retained at least, e.g. 30. The floor alone says so. */
  retentionDays: z.int().min(1).max(3650),
});
export type OperationsRule = z.infer<typeof OperationsRule>;

/** What counts where the policy in force was activated before there were such rules. */
export const OPERATIONS_DEFAULT: OperationsRule = {
  acknowledgeMinutes: 60,
  rootCauseHours: 48,
  rehashDays: 30,
  retentionDays: 30,
};
