import { z } from 'zod';
import { recordRunFailure } from '#use-cases/runs/record-run-failure.ts';
import type { Recording } from '#use-cases/audit/record-change.ts';
import type { Task } from '#use-cases/task.ts';
import { recordFailure } from './end-promotion.ts';

/** A run names its machine; a promotion is known by itself. */
const Run = z.object({ machine: z.string() });

/** The recording state of promotions and of rollbacks, which are two kinds of records. */
export function recordReleaseFailure(deps: Recording): Task {
  const ofPromotion = recordFailure(deps);
  const ofRun = recordRunFailure(deps);
  return (parameters) => (Run.safeParse(parameters).success ? ofRun : ofPromotion)(parameters);
}
