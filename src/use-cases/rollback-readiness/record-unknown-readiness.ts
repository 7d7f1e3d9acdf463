import { z } from 'zod';
import { failed } from '#domain/rollback-readiness/conditions.ts';
import { CaughtError, contract, type Task } from '#use-cases/task.ts';
import { recordReadiness, type RecordingReadiness } from './write-readiness.ts';

export const RecordUnknownReadiness = contract({
  input: z.object({
    machine: z.literal('rollback-readiness'),
    model: z.string(),
    run: z.string(),
    startedAt: z.string(),
    error: CaughtError,
  }),
  output: z.object({ status: z.literal('failed') }),
});

/** Records that a check met a fault: nobody knows whether a rollback would work, and people are told. */
export function recordUnknownReadiness(deps: RecordingReadiness): Task {
  return RecordUnknownReadiness.task(async ({ model, run, startedAt, error }) => {
    const cause = `${error.Error ?? 'fault'}: ${error.Cause ?? 'no cause was given'}`;
    const about = { release: null, version: null, epoch: null };
    // What the machine was given as its beginning has the precision of Step Functions.
    const at = new Date(startedAt).toISOString();
    const unknown = {
      ...failed('target', `the check met a fault: ${cause}`),
      remedy: 'see the log, and start the check again',
    };
    await recordReadiness(deps, model, { status: 'unknown', run, ...about, startedAt: at, failed: [unknown] });
    return { status: 'failed' };
  });
}
