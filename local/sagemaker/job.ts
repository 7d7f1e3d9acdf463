import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join, sep } from 'node:path';
import { z } from 'zod';
import { writeDocument } from '../emulator/state.ts';
import { CreateProcessingJob, CreateTrainingJob } from './requests.ts';

const Status = z.enum(['InProgress', 'Completed', 'Failed', 'Stopping', 'Stopped']);
const SecondaryStatus = z.enum([
  'Starting',
  'Downloading',
  'Training',
  'Uploading',
  'Stopping',
  'Stopped',
  'MaxRuntimeExceeded',
  'Completed',
  'Failed',
]);
export type SecondaryStatus = z.infer<typeof SecondaryStatus>;

// Times are milliseconds since 1970, as in AWS's events; the API's are seconds.
const common = {
  formatVersion: z.literal(1),
  account: z.string().regex(/^\d{12}$/),
  name: z.string(),
  arn: z.string(),
  status: Status,
  secondaryStatus: SecondaryStatus,
  transitions: z.array(
    z.strictObject({ status: SecondaryStatus, start: z.number(), end: z.number().optional(), message: z.string() }),
  ),
  failureReason: z.string().optional(),
  exitMessage: z.string().optional(),
  modelArtifacts: z.string().optional(),
  createdAt: z.number(),
  modifiedAt: z.number(),
  startedAt: z.number().optional(),
  endedAt: z.number().optional(),
};

/** A job's record: what was asked for and what became of it. */
export const Job = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('training'), request: CreateTrainingJob, ...common }),
  z.strictObject({ kind: z.literal('processing'), request: CreateProcessingJob, ...common }),
]);
export type Job = z.infer<typeof Job>;
export type TrainingJob = Extract<Job, { kind: 'training' }>;

/** Whether nothing will change any more. */
export const hasEnded = (job: Job): boolean => ['Completed', 'Failed', 'Stopped'].includes(job.status);

const STATUS: Readonly<Record<SecondaryStatus, z.infer<typeof Status>>> = {
  Starting: 'InProgress',
  Downloading: 'InProgress',
  Training: 'InProgress',
  Uploading: 'InProgress',
  Stopping: 'Stopping',
  Stopped: 'Stopped',
  MaxRuntimeExceeded: 'Stopped',
  Completed: 'Completed',
  Failed: 'Failed',
};

const MESSAGES: Readonly<Record<SecondaryStatus, string>> = {
  Starting: 'Preparing the instances for training',
  Downloading: 'Downloading input data',
  Training: 'Training image download completed. Training in progress.',
  Uploading: 'Uploading generated training model',
  Stopping: 'Stopping the training job',
  Stopped: 'Training job stopped',
  MaxRuntimeExceeded: 'Training job runtime exceeded MaxRuntimeInSeconds provided',
  Completed: 'Training job completed',
  Failed: 'Training job failed',
};

/** Moves a job to a status at a time; a job that is being stopped stays Stopping while its artifacts are uploaded. */
export function enter(job: Job, secondaryStatus: SecondaryStatus, now: number): void {
  const last = job.transitions.at(-1);
  if (last !== undefined) last.end = now;
  job.transitions.push({ status: secondaryStatus, start: now, message: MESSAGES[secondaryStatus] });
  job.secondaryStatus = secondaryStatus;
  job.status = job.status === 'Stopping' && secondaryStatus === 'Uploading' ? 'Stopping' : STATUS[secondaryStatus];
  job.modifiedAt = now;
  if (secondaryStatus === 'Training') job.startedAt = now;
  if (hasEnded(job)) job.endedAt = now;
}

/** The records of a home's jobs: in memory, and in files that survive a restart. */
export class JobStore {
  readonly #folder: string;
  readonly #jobs = new Map<string, Job>();

  constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true });
    for (const path of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
      // account/kind/name/job.json; what lies deeper belongs to a program that ran.
      if (path.split(sep).length !== 4 || basename(path) !== 'job.json') continue;
      const job = Job.parse(JSON.parse(readFileSync(join(folder, path), 'utf8')));
      this.#jobs.set(this.folderOf(job), job);
    }
  }

  /** A job's own folder: its record, its log, and while it runs its root. */
  folderOf(job: Pick<Job, 'account' | 'kind' | 'name'>): string {
    return join(this.#folder, job.account, job.kind, job.name);
  }

  find<K extends Job['kind']>(account: string, kind: K, name: string): Extract<Job, { kind: K }> | undefined {
    const job = this.#jobs.get(this.folderOf({ account, kind, name }));
    return job !== undefined && isKind(job, kind) ? job : undefined;
  }

  all(): readonly Job[] {
    return [...this.#jobs.values()];
  }

  trainingJobs(account: string): readonly TrainingJob[] {
    return this.all().filter((job): job is TrainingJob => job.kind === 'training' && job.account === account);
  }

  save(job: Job): void {
    this.#jobs.set(this.folderOf(job), job);
    writeDocument(join(this.folderOf(job), 'job.json'), job);
  }
}

const isKind = <K extends Job['kind']>(job: Job, kind: K): job is Extract<Job, { kind: K }> => job.kind === kind;
