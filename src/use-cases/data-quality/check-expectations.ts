import { z } from 'zod';
import type { ProcessingJobs } from '#ports/processing-jobs.ts';
import { operationName } from '#use-cases/audit/record-change.ts';
import { ProcessingOutcome } from '#use-cases/retraining/return-job-token.ts';
import { JobAnswer, startJob, type StartingJobs } from '#use-cases/retraining/start-job.ts';
import { contract, type Task } from '#use-cases/task.ts';
import { stagePrefix } from './stage-data.ts';

export const CheckExpectations = contract({
  input: z.object({ model: z.string(), run: z.string(), token: z.string() }),
  output: JobAnswer,
  answer: ProcessingOutcome,
});

/** Where a check's job leaves what it found. */
export function resultsPrefix(run: string): string {
  return `runs/${run}/check/output/`;
}

/** A check that takes longer than this has met data that no suite was written for. */
const MAX_RUNTIME_SECONDS = 3600;

/** Starts the job that validates the data against its expectation suites, for whose end the execution waits. */
export function checkExpectations(
  deps: StartingJobs & { readonly checks: ProcessingJobs; readonly image: string },
): Task {
  return CheckExpectations.task(async ({ model, run, token }) => {
    const job = `${model.slice(0, 24)}-${operationName('check', run)}`;
    return startJob(deps, 'processing', { job, token, model, run }, () =>
      deps.checks.start({
        name: job,
        image: deps.image,
        input: stagePrefix(run),
        output: resultsPrefix(run),
        maxRuntimeSeconds: MAX_RUNTIME_SECONDS,
      }),
    );
  });
}
