import { z } from 'zod';
import { equals, type Item, textOf } from '#domain/ledger/item.ts';
import type { Clock } from '#ports/clock.ts';
import type { Ledger } from '#ports/ledger.ts';
import type { ProcessingJobs, ProcessingJobState } from '#ports/processing-jobs.ts';
import type { StateMachines } from '#ports/state-machines.ts';
import type { TrainingJobs } from '#ports/training-jobs.ts';
import { findTask } from '#read-model/tasks.ts';
import { operationName } from '#use-cases/audit/record-change.ts';
import { writeUnaudited } from '#use-cases/audit/write-unaudited.ts';

/** The kinds of jobs for whose end an execution waits. */
export const JOB_KINDS = ['training', 'processing'] as const;
export type JobKind = (typeof JOB_KINDS)[number];

/**
 * How long after its token was written a job may not exist yet. No Lambda function runs longer: whoever wrote the token
 * creates no job any more, and whoever tries again writes a token of its own.
 */
const CREATION_MS = 15 * 60_000;

export interface ReturningTokens {
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly machines: StateMachines;
  readonly jobs: Pick<TrainingJobs, 'describe'>;
  readonly checks: Pick<ProcessingJobs, 'describe'>;
}

const Failed = z.object({ status: z.literal('failed'), reason: z.string() });

/** How a training job ended, as the machine that waits for it is told. */
export const TrainingOutcome = z.discriminatedUnion('status', [
  z.object({
    status: z.literal('trained'),
    /** Where the job left its model. */
    artifact: z.string(),
    seconds: z.number().nonnegative(),
  }),
  Failed,
]);

/** How a processing job ended, as the machine that waits for it is told. */
export const ProcessingOutcome = z.discriminatedUnion('status', [z.object({ status: z.literal('checked') }), Failed]);

type JobOutcome = z.output<typeof TrainingOutcome> | z.output<typeof ProcessingOutcome>;

/** Tells the waiting execution how a job ended, as the job itself says now; an event is only the hint to look. */
export async function returnJobToken(
  deps: ReturningTokens,
  kind: JobKind,
  job: string,
): Promise<'returned' | 'gone' | 'running' | 'unknown'> {
  const item = await findTask(deps.ledger, kind, job);
  if (item === undefined) return 'unknown';
  const outcome = await outcomeOf(deps, kind, item);
  return outcome === undefined ? 'running' : answerTask(deps, item, outcome);
}

/** Returns the token of a task's item, and notes that it was returned. */
export async function answerTask(
  { ledger, machines }: Pick<ReturningTokens, 'ledger' | 'machines'>,
  item: Item,
  outcome: JobOutcome,
): Promise<'returned' | 'gone'> {
  const told = outcome.status === 'failed' ? { ...outcome, reason: outcome.reason.slice(0, 1000) } : outcome;
  const answer = await machines.succeed(textOf(item, 'token'), told);
  await writeUnaudited(
    ledger, // Not if the machine waits with another token by now: that one has not been answered.
    [{ kind: 'put', item: { ...item, answered: true }, condition: equals({ token: textOf(item, 'token') }) }],
    operationName('a', textOf(item, 'token')),
  );
  return answer;
}

/** Where a job's own output is: its traceback, where its failure says less. */
const LOGS: Readonly<Record<JobKind, string>> = {
  training: 'log: CloudWatch /aws/sagemaker/TrainingJobs',
  processing: 'log: CloudWatch /aws/sagemaker/ProcessingJobs',
};

/** What is said of a job, once it is completed as the outcome that its machine is told. */
async function stateOf(
  { jobs, checks }: ReturningTokens,
  kind: JobKind,
  job: string,
): Promise<
  | Exclude<ProcessingJobState, { readonly kind: 'completed' }>
  | { readonly kind: 'completed'; readonly outcome: JobOutcome }
> {
  if (kind === 'training') {
    const state = await jobs.describe(job);
    if (state.kind !== 'completed') return state;
    const { artifact, seconds } = state;
    return { kind: 'completed', outcome: { status: 'trained', artifact, seconds } };
  }
  const state = await checks.describe(job);
  return state.kind === 'completed' ? { kind: 'completed', outcome: { status: 'checked' } } : state;
}

async function outcomeOf(deps: ReturningTokens, kind: JobKind, item: Item): Promise<JobOutcome | undefined> {
  const state = await stateOf(deps, kind, item.sk);
  switch (state.kind) {
    case 'running':
      return undefined;
    case 'absent': {
      // An item without a time is of an earlier version of this code, which creates no jobs any more.
      const since = typeof item['at'] === 'string' ? Date.parse(item['at']) : 0;
      if (deps.clock.now().getTime() < since + CREATION_MS) return undefined;
      return { status: 'failed', reason: `there is no ${kind} job ${item.sk}: it was never created, or was deleted` };
    }
    case 'completed':
      return state.outcome;
    case 'failed':
      return { status: 'failed', reason: `${state.reason.slice(0, 800)} (${LOGS[kind]}, job ${item.sk})` };
  }
}
