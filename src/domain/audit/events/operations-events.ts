import { z } from 'zod';
import { ReadinessCondition, ReadinessStatus } from '../../rollback-readiness/conditions.ts';
import { FindingKind } from '../../supervision/finding.ts';
import { event, Text } from './event.ts';

/** What operations find out about what is served, and do about it: alphabetical. */
export const OPERATIONS_EVENTS = {
  INTEGRITY_FAILED: event(
    'a stored object is missing, or is another than was stored',
    z.strictObject({
      object: Text,
      finding: FindingKind,
      found: z.string(),
      /** What depends on it: the served release, a rollback target, versions, days. */
      affects: z.array(z.string()),
    }),
    true,
  ),
  INTEGRITY_RESTORED: event(
    'a stored object is whole again, or nothing refers to it any more',
    z.strictObject({ object: Text, since: Text, found: z.string() }),
  ),
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
  ROLLBACK_READINESS_WAIVED: event(
    'a release was promoted although a rollback to the one before would not work',
    z.strictObject({
      promotion: Text,
      version: Text,
      transition: Text,
      conditions: z.array(ReadinessCondition).max(8),
      found: z.string(),
    }),
    true,
  ),
  SCHEDULE_MISSED: event(
    'a schedule did not run when it was expected to',
    z.strictObject({
      /** Its name without the environment's prefix. */
      schedule: Text,
      expression: Text,
      timezone: Text,
      /** The first run that did not come, and how many did not until this was seen. */
      expectedAt: Text,
      runs: z.int().positive(),
      /** The newest heartbeat; null where none was ever left. */
      lastRunAt: Text.nullable(),
    }),
    true,
  ),
} as const;
