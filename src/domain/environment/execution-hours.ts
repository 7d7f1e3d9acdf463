import { PATIENCE_HOURS, WORK_HOURS } from '../promotion/durations.ts';
import type { MACHINES } from './environment.ts';

type Machine = (typeof MACHINES)[keyof typeof MACHINES][number];

/** Hours after which an execution hangs: more than its longest way takes, with all retries. Those of people and of its canary come to a promotion's. */
const HOURS: Readonly<Record<Machine, number>> = {
  // A training job may take 26 hours; before it and after it data are checked and candidates validated.
  retraining: 40,
  validation: 5,
  'data-quality': 5,
  promotion: PATIENCE_HOURS + WORK_HOURS,
  canary: WORK_HOURS,
  confirmation: 1,
  // The repair of its predictions may take two hours.
  rollback: 4,
  'rollback-readiness': 2,
  // It waits up to three quarters of an hour for a batch run.
  'release-tests': 4,
  incident: 1,
  'rollback-verification': 1,
  probation: 8,
  drift: 8,
  // It goes round again for as long as something new is left to it.
  'batch-inference': 8,
};

/** Hours that the slowest of the policies gives people, and a canary until its deadline. */
export interface LongestHours {
  readonly approval: number;
  readonly canary: number;
}

/** Hours that an execution may take. */
export function executionHours(machine: Machine, { approval, canary }: LongestHours): number {
  if (machine === 'promotion') return HOURS[machine] + approval + canary;
  return HOURS[machine] + (machine === 'canary' ? canary : 0);
}
