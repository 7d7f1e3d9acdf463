import { Hono } from 'hono';
import { join } from 'node:path';
import { callerAccount } from '../emulator/caller.ts';
import { hasEnded, JobStore, type Job, type TrainingJob } from './job.ts';
import { Notices } from './notices.ts';
import * as requests from './requests.ts';
import { ApiError, parseRequest } from './requests.ts';
import { Runner, type RunnerContext } from './runner.ts';

/** The subset of SageMaker: its HTTP interface, and the way to end its jobs. */
export interface SageMaker {
  readonly app: Hono;
  readonly recover: () => Promise<void>;
  readonly killAll: () => void;
}

type Operation = (account: string, body: unknown) => unknown;

/** Makes the subset of SageMaker that is served behind SageMaker's own wire protocol (AWS JSON 1.1). */
export function createSageMaker(context: RunnerContext): SageMaker {
  const store = new JobStore(join(context.home, 'sagemaker', 'jobs'));
  const runner = new Runner(context, store, new Notices(context.endpoint, context.region));
  const operations = operationsOf(context.region, store, runner);
  const accountOf = callerAccount(context);
  const app = new Hono();
  app.get('/health', (context) => context.json({ status: 'ok' }));
  app.post('/', async (context) => {
    const target = context.req.header('x-amz-target') ?? '';
    const headers = { 'content-type': 'application/x-amz-json-1.1' };
    try {
      const operation = operations[target.replace(/^SageMaker\./, '')];
      if (operation === undefined)
        throw new ApiError('UnknownOperationException', `the local SageMaker subset has no operation "${target}"`);
      const account = await accountOf(
        context.req.header('authorization') ?? '',
        context.req.header('x-amz-security-token'),
      );
      if (account === undefined)
        throw new ApiError('AccessDeniedException', 'the request is not signed by a key of an account');
      const answer = operation(account, await context.req.json());
      return context.body(JSON.stringify(answer ?? {}), 200, headers);
    } catch (error) {
      const known = error instanceof ApiError;
      if (!known) console.error(target, error);
      const body = {
        __type: known ? error.type : 'InternalFailure',
        message: error instanceof Error ? error.message : String(error),
      };
      return context.body(JSON.stringify(body), known ? 400 : 500, headers);
    }
  });
  return { app, recover: () => runner.recover(), killAll: () => runner.killAll() };
}

function operationsOf(region: string, store: JobStore, runner: Runner): Readonly<Record<string, Operation>> {
  const find = <K extends Job['kind']>(account: string, kind: K, name: string): Extract<Job, { kind: K }> => {
    const job = store.find(account, kind, name);
    if (job !== undefined) return job;
    // AWS answers differently for the two kinds.
    if (kind === 'training') throw new ApiError('ValidationException', 'Requested resource not found.');
    throw new ApiError('ResourceNotFound', `Could not find requested job with name: ${name}`);
  };
  const stop = (job: Job): void => {
    if (hasEnded(job) && job.kind === 'training') {
      throw new ApiError(
        'ValidationException',
        `The request was rejected because the training job is in status ${job.status}.`,
      );
    }
    if (!hasEnded(job) && job.status !== 'Stopping') runner.stop(job);
  };
  const begin = (
    account: string,
    kind: Job['kind'],
    name: string,
    role: string,
  ): Pick<Job, 'account' | 'name' | 'arn'> & Start => {
    const arn = `arn:aws:sagemaker:${region}:${account}:${kind}-job/${name}`;
    if (role.split(':')[4] !== account)
      throw new ApiError('ValidationException', 'RoleArn: Cross-account pass role is not allowed.');
    if (store.find(account, kind, name) !== undefined) {
      const what = kind === 'training' ? 'Training job' : 'Job';
      throw new ApiError(
        'ResourceInUse',
        `${what} names must be unique within an AWS account and region, and a ${what.toLowerCase()} with this name already exists (${arn})`,
      );
    }
    const now = Date.now();
    return {
      formatVersion: 1,
      account,
      name,
      arn,
      status: 'InProgress',
      secondaryStatus: 'Starting',
      transitions: [],
      createdAt: now,
      modifiedAt: now,
    };
  };
  return {
    CreateTrainingJob: (account, body) => {
      const request = parseRequest(requests.CreateTrainingJob, body);
      const job: Job = {
        kind: 'training',
        request,
        ...begin(account, 'training', request.TrainingJobName, request.RoleArn),
      };
      runner.submit(job);
      return { TrainingJobArn: job.arn };
    },
    DescribeTrainingJob: (account, body) =>
      describeTraining(find(account, 'training', parseRequest(requests.TrainingJobName, body).TrainingJobName)),
    StopTrainingJob: (account, body) =>
      stop(find(account, 'training', parseRequest(requests.TrainingJobName, body).TrainingJobName)),
    ListTrainingJobs: (account, body) =>
      list(store.trainingJobs(account), parseRequest(requests.ListTrainingJobs, body)),
    CreateProcessingJob: (account, body) => {
      const request = parseRequest(requests.CreateProcessingJob, body);
      const job: Job = {
        kind: 'processing',
        request,
        ...begin(account, 'processing', request.ProcessingJobName, request.RoleArn),
      };
      runner.submit(job);
      return { ProcessingJobArn: job.arn };
    },
    DescribeProcessingJob: (account, body) =>
      describeProcessing(find(account, 'processing', parseRequest(requests.ProcessingJobName, body).ProcessingJobName)),
    StopProcessingJob: (account, body) =>
      stop(find(account, 'processing', parseRequest(requests.ProcessingJobName, body).ProcessingJobName)),
  };
}

type Start = Pick<Job, 'formatVersion' | 'status' | 'secondaryStatus' | 'transitions' | 'createdAt' | 'modifiedAt'>;

const seconds = (milliseconds: number): number => milliseconds / 1000;

function describeTraining(job: TrainingJob): Record<string, unknown> {
  const { Tags: _, ...request } = job.request;
  const trained =
    job.startedAt === undefined || job.endedAt === undefined
      ? undefined
      : Math.ceil(seconds(job.endedAt - job.startedAt));
  return {
    ...request,
    TrainingJobArn: job.arn,
    TrainingJobStatus: job.status,
    SecondaryStatus: job.secondaryStatus,
    ...(job.failureReason !== undefined && { FailureReason: job.failureReason }),
    ...(job.modelArtifacts !== undefined && { ModelArtifacts: { S3ModelArtifacts: job.modelArtifacts } }),
    CreationTime: seconds(job.createdAt),
    LastModifiedTime: seconds(job.modifiedAt),
    ...(job.startedAt !== undefined && { TrainingStartTime: seconds(job.startedAt) }),
    ...(job.endedAt !== undefined && { TrainingEndTime: seconds(job.endedAt) }),
    ...(trained !== undefined && { TrainingTimeInSeconds: trained, BillableTimeInSeconds: trained }),
    SecondaryStatusTransitions: job.transitions.map(({ status, start, end, message }) => ({
      Status: status,
      StartTime: seconds(start),
      ...(end !== undefined && { EndTime: seconds(end) }),
      StatusMessage: message,
    })),
  };
}

function describeProcessing(job: Extract<Job, { kind: 'processing' }>): Record<string, unknown> {
  const { Tags: _, ...request } = job.request;
  return {
    ...request,
    ProcessingJobArn: job.arn,
    ProcessingJobStatus: job.status,
    ...(job.failureReason !== undefined && { FailureReason: job.failureReason }),
    ...(job.exitMessage !== undefined && { ExitMessage: job.exitMessage }),
    CreationTime: seconds(job.createdAt),
    LastModifiedTime: seconds(job.modifiedAt),
    ...(job.startedAt !== undefined && { ProcessingStartTime: seconds(job.startedAt) }),
    ...(job.endedAt !== undefined && { ProcessingEndTime: seconds(job.endedAt) }),
  };
}

function list(jobs: readonly TrainingJob[], query: requests.ListTrainingJobs): unknown {
  const key = (job: TrainingJob): string | number =>
    query.SortBy === 'Name' ? job.name : query.SortBy === 'Status' ? job.status : job.createdAt;
  const direction = query.SortOrder === 'Descending' ? -1 : 1;
  const found = jobs
    .filter((job) => query.NameContains === undefined || job.name.includes(query.NameContains))
    .filter((job) => query.StatusEquals === undefined || job.status === query.StatusEquals)
    .filter((job) => query.CreationTimeAfter === undefined || seconds(job.createdAt) > query.CreationTimeAfter)
    .filter((job) => query.CreationTimeBefore === undefined || seconds(job.createdAt) < query.CreationTimeBefore)
    .toSorted((a, b) => direction * (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
  const from = Number(query.NextToken ?? 0);
  const to = from + (query.MaxResults ?? 10);
  const TrainingJobSummaries = found.slice(from, to).map((job) => ({
    TrainingJobName: job.name,
    TrainingJobArn: job.arn,
    TrainingJobStatus: job.status,
    SecondaryStatus: job.secondaryStatus,
    CreationTime: seconds(job.createdAt),
    LastModifiedTime: seconds(job.modifiedAt),
    ...(job.endedAt !== undefined && { TrainingEndTime: seconds(job.endedAt) }),
  }));
  return { TrainingJobSummaries, ...(to < found.length && { NextToken: String(to) }) };
}
