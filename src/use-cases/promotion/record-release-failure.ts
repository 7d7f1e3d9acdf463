import { z } from 'zod';
import { recordRunFailure } from '#use-cases/runs/record-run-failure.ts';
import {
  RecordUnknownReadiness,
  recordUnknownReadiness,
} from '#use-cases/rollback-readiness/record-unknown-readiness.ts';
import type { RecordingReadiness } from '#use-cases/rollback-readiness/write-readiness.ts';
import type { Task } from '#use-cases/task.ts';
import { recordFailure } from './end-promotion.ts';

/** A run names its machine; a promotion is known by itself. */
const Run = z.object({ machine: z.string() });

/** The recording state of promotions, of checks of what a rollback would go to, and of other runs: three kinds of records. */
export function recordReleaseFailure(deps: RecordingReadiness): Task {
  const ofPromotion = recordFailure(deps);
  const ofReadiness = recordUnknownReadiness(deps);
  const ofRun = recordRunFailure(deps);
  const machineOf = RecordUnknownReadiness.input.pick({ machine: true });
  return (parameters) => {
    if (machineOf.safeParse(parameters).success) return ofReadiness(parameters);
    return (Run.safeParse(parameters).success ? ofRun : ofPromotion)(parameters);
  };
}
