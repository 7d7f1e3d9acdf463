import { z } from 'zod';
import { keys } from '#domain/ledger/keys.ts';
import type { Ledger } from '#ports/ledger.ts';
import type { ProcessingJobs } from '#ports/processing-jobs.ts';
import { operationName } from '#use-cases/audit/record-change.ts';
import { writeUnaudited } from '#use-cases/audit/write-unaudited.ts';
import { type Task, task } from '#use-cases/task.ts';
import { stagePrefix } from './stage-data.ts';

/** Where a check's job leaves what it found. */
export function resultsPrefix(run: string): string {
  return `runs/${run}/check/output/`;
}

/** A check that takes longer than this has met data that no suite was written for. */
const MAX_RUNTIME_SECONDS = 3600;

/** Starts the job that puts the data before its suites; the execution waits until the job's state change, or the reconciler, returns the token. */
export function checkExpectations(deps: {
  readonly ledger: Ledger;
  readonly checks: ProcessingJobs;
  readonly image: string;
}): Task {
  return task(z.object({ model: z.string(), run: z.string(), token: z.string() }), async ({ model, run, token }) => {
    const job = `${model.slice(0, 24)}-${operationName('check', run)}`;
    const item = { ...keys.task('processing', job), token, model, run, answered: false };
    await writeUnaudited(deps.ledger, [{ kind: 'put', item }], operationName('t', token));
    await deps.checks.start({
      name: job,
      image: deps.image,
      input: stagePrefix(run),
      output: resultsPrefix(run),
      maxRuntimeSeconds: MAX_RUNTIME_SECONDS,
    });
    return { status: 'started' };
  });
}
