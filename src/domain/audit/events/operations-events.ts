import { z } from 'zod';
import { ReadinessCondition, ReadinessStatus } from '../../rollback-readiness/conditions.ts';
import { event, Text } from './event.ts';

/** What operations find out about what is served, and do about it: alphabetical. */
export const OPERATIONS_EVENTS = {
  ROLLBACK_READINESS_CHECKED: event(
    'it was checked whether a rollback would work: the release that it would go to, its keys, today’s data',
    z.strictObject({
      run: Text,
      status: ReadinessStatus,
      /** The version that a rollback would go to; null where there is none, or it is not known. */
      version: Text.nullable(),
      epoch: z.int().nullable(),
      conditions: z.array(ReadinessCondition).max(8),
      /** What was found of those conditions, each with what to do. */
      reasons: z.array(z.string()).max(8),
    }),
    { unless: ['status', 'ready', 'first-release'] },
  ),
} as const;
