import { z } from 'zod';
import { keys } from '#domain/ledger/keys.ts';
import type { Clock } from '#ports/clock.ts';
import type { JobStart } from '#ports/job.ts';
import type { Ledger } from '#ports/ledger.ts';
import type { StateMachines } from '#ports/state-machines.ts';
import { operationName } from '#use-cases/audit/record-change.ts';
import { writeUnaudited } from '#use-cases/audit/write-unaudited.ts';
import { answerTask, type JobKind } from './return-job-token.ts';

export interface StartingJobs {
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly machines: StateMachines;
}

/** What a state says that has asked for a job, before it waits for its end. */
export const JobAnswer = z.object({ status: z.enum(['started', 'refused']) });

/** A job for whose end an execution waits with a token. */
interface WaitedFor {
  readonly job: string;
  readonly token: string;
  readonly model: string;
  readonly run: string;
}

/**
 * Starts a job. Its token is written first: no job runs without somebody to return it. A job that is refused has failed,
 * and the execution learns why at once; otherwise the job's state change, or the reconciler, returns the token.
 */
export async function startJob(
  deps: StartingJobs,
  kind: JobKind,
  { job, ...waiting }: WaitedFor,
  start: () => Promise<JobStart>,
): Promise<z.output<typeof JobAnswer>> {
  const at = deps.clock.now().toISOString();
  const item = { ...keys.task(kind, job), ...waiting, answered: false, at };
  await writeUnaudited(deps.ledger, [{ kind: 'put', item }], operationName('t', waiting.token, at));
  const started = await start();
  if (started.kind === 'refused') await answerTask(deps, item, { status: 'failed', reason: started.reason });
  return { status: started.kind };
}
