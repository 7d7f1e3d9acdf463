import { equals, textOf } from '#domain/ledger/item.ts';
import { keys } from '#domain/ledger/keys.ts';
import type { Ledger } from '#ports/ledger.ts';
import type { ProcessingJobs } from '#ports/processing-jobs.ts';
import type { StateMachines } from '#ports/state-machines.ts';
import type { TrainingJobs } from '#ports/training-jobs.ts';
import { operationName } from '#use-cases/audit/record-change.ts';
import { writeUnaudited } from '#use-cases/audit/write-unaudited.ts';

/** The kinds of jobs for whose end an execution waits. */
export const JOB_KINDS = ['training', 'processing'] as const;
type JobKind = (typeof JOB_KINDS)[number];

export interface ReturningTokens {
  readonly ledger: Ledger;
  readonly machines: StateMachines;
  readonly jobs: Pick<TrainingJobs, 'describe'>;
  readonly checks: Pick<ProcessingJobs, 'describe'>;
}

/** Tells the waiting execution how a job ended, as the job itself says now; an event is only the hint to look. */
export async function returnJobToken(
  deps: ReturningTokens,
  kind: JobKind,
  job: string,
): Promise<'returned' | 'gone' | 'running' | 'unknown'> {
  const item = await deps.ledger.get(keys.task(kind, job));
  if (item === undefined) return 'unknown';
  const output = await outcomeOf(deps, kind, job);
  if (output === undefined) return 'running';
  const answer = await deps.machines.succeed(textOf(item, 'token'), output);
  await writeUnaudited(
    deps.ledger, // Not if the machine waits with another token by now: that one has not been answered.
    [{ kind: 'put', item: { ...item, answered: true }, condition: equals({ token: textOf(item, 'token') }) }],
    operationName('a', textOf(item, 'token')),
  );
  return answer;
}

async function outcomeOf({ jobs, checks }: ReturningTokens, kind: JobKind, job: string): Promise<object | undefined> {
  const state = kind === 'training' ? await jobs.describe(job) : await checks.describe(job);
  switch (state.kind) {
    case 'running':
      return undefined;
    case 'completed': {
      const { kind: _, ...left } = state;
      return { status: kind === 'training' ? 'trained' : 'checked', ...left };
    }
    case 'failed':
      return { status: 'failed', reason: state.reason.slice(0, 1000) };
  }
}
