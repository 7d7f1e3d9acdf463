import { z } from 'zod';
import { truncated } from '#domain/audit/truncated.ts';
import { Digest } from '#domain/canonical/digest.ts';
import { operationName, type Recording, recordChange } from '#use-cases/audit/record-change.ts';
import { contract, type Task } from '#use-cases/task.ts';

export const VerifyRollback = contract({
  input: z.object({
    model: z.string(),
    rollback: z.string(),
    target: z.object({ release: Digest }),
    probes: z.object({ status: z.string(), found: z.string() }),
    log: z.object({ status: z.string(), stale: z.int(), reason: z.string() }),
  }),
  output: z.object({
    /** `COMPLETE`: all that was looked at is as it should be. `UNABLE`: it could not be looked at. */
    status: z.enum(['COMPLETE', 'PARTIAL', 'UNABLE']),
    found: z.string(),
  }),
});

/** Says whether a rollback has reached whoever asks, by all that was looked at, and records it. */
export function verifyRollback(deps: Recording): Task {
  return VerifyRollback.task(async ({ model, rollback, target, probes, log }) => {
    const wrong = [
      ...(log.status === 'unread' ? [`the request log cannot be read: ${log.reason}`] : []),
      ...(log.stale === 0 ? [] : [`${log.stale} requests were answered by an older epoch after the switch`]),
      ...(probes.status === 'answers' || probes.status === 'none' ? [] : [probes.found]),
    ];
    const isUnable =
      log.stale === 0 && (log.status === 'unread' || probes.status === 'unable') && probes.status !== 'partial';
    const status = wrong.length === 0 ? 'COMPLETE' : isUnable ? 'UNABLE' : 'PARTIAL';
    const found = truncated(wrong.length === 0 ? [probes.found] : wrong, 3, 400).join('; ');
    await recordChange(deps, {
      model,
      operation: operationName('verify-rollback', rollback),
      writes: [],
      event: {
        code: 'ROLLBACK_VERIFIED',
        actor: 'pipeline:release',
        release: target.release,
        details: { rollback, result: status, found },
      },
    });
    return { status, found };
  });
}
