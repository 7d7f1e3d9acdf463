import { CreateBucketCommand, GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { PutRuleCommand, PutTargetsCommand } from '@aws-sdk/client-eventbridge';
import {
  CreateProcessingJobCommand,
  CreateTrainingJobCommand,
  DescribeProcessingJobCommand,
  DescribeTrainingJobCommand,
  ListTrainingJobsCommand,
  type ListTrainingJobsCommandInput,
  StopTrainingJobCommand,
  type CreateTrainingJobCommandInput,
  type DescribeTrainingJobCommandOutput,
} from '@aws-sdk/client-sagemaker';
import { CreateQueueCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { canIsolate } from '#local/sagemaker/container.ts';
import { registerLocalImages } from '#local/sagemaker/images.ts';
import { clients, eventually, freshCloud, type TestCloud } from '../_helpers/cloud.ts';

const ACCOUNT = '111111111111';
const IMAGE = `trainer@sha256:${'a'.repeat(64)}`;
const PROGRAM = join(import.meta.dirname, 'fixture', 'train.py');

let cloud: TestCloud;
let aws: ReturnType<typeof clients>;
let queueUrl = '';

beforeAll(async () => {
  // What the cloud's processes could inherit, if they did.
  process.env['PLANTED_IN_PARENT'] = 'secret';
  cloud = await freshCloud();
  delete process.env['PLANTED_IN_PARENT'];
  aws = clients(cloud, ACCOUNT);
  registerLocalImages(cloud.home, { [IMAGE]: { command: ['python', PROGRAM], folder: import.meta.dirname } });
  await aws.s3().send(new CreateBucketCommand({ Bucket: 'training' }));
  await aws.s3().send(new PutObjectCommand({ Bucket: 'training', Key: 'rows/part/a.txt', Body: 'one' }));
  await aws.s3().send(new PutObjectCommand({ Bucket: 'training', Key: 'rows/b.txt', Body: 'two' }));
  const { QueueUrl = '' } = await aws.sqs().send(new CreateQueueCommand({ QueueName: 'changes' }));
  queueUrl = QueueUrl;
  const EventPattern = JSON.stringify({
    source: ['aws.sagemaker'],
    'detail-type': ['SageMaker Training Job State Change'],
  });
  await aws.events().send(new PutRuleCommand({ Name: 'changes', EventPattern }));
  const Arn = `arn:aws:sqs:us-east-1:${ACCOUNT}:changes`;
  await aws.events().send(new PutTargetsCommand({ Rule: 'changes', Targets: [{ Id: 'queue', Arn }] }));
});

afterAll(() => cloud[Symbol.asyncDispose]());

const request = (
  name: string,
  behaviour: string,
  more: Partial<CreateTrainingJobCommandInput> = {},
): CreateTrainingJobCommandInput => ({
  TrainingJobName: name,
  AlgorithmSpecification: { TrainingImage: IMAGE, TrainingInputMode: 'File' },
  RoleArn: `arn:aws:iam::${ACCOUNT}:role/trainer`,
  InputDataConfig: [
    { ChannelName: 'train', DataSource: { S3DataSource: { S3DataType: 'S3Prefix', S3Uri: 's3://training/rows/' } } },
  ],
  OutputDataConfig: { S3OutputPath: 's3://training/output' },
  ResourceConfig: { InstanceType: 'ml.m5.large', InstanceCount: 1, VolumeSizeInGB: 10 },
  StoppingCondition: { MaxRuntimeInSeconds: 60 },
  HyperParameters: { behaviour, 'learning-rate': '0.1' },
  ...more,
});

const create = (input: CreateTrainingJobCommandInput) => aws.sagemaker().send(new CreateTrainingJobCommand(input));
const describeJob = (TrainingJobName: string) =>
  aws.sagemaker().send(new DescribeTrainingJobCommand({ TrainingJobName }));

const ended = (name: string): Promise<DescribeTrainingJobCommandOutput> =>
  eventually(`the end of ${name}`, async () => {
    const job = await describeJob(name);
    return ['Completed', 'Failed', 'Stopped'].includes(job.TrainingJobStatus ?? '') ? job : undefined;
  });

const train = async (name: string, behaviour: string, more: Partial<CreateTrainingJobCommandInput> = {}) => {
  await create(request(name, behaviour, more));
  return ended(name);
};

const list = (input: ListTrainingJobsCommandInput) =>
  aws.sagemaker().send(new ListTrainingJobsCommand({ NameContains: 'list-', SortBy: 'Name', ...input }));

const archive = async (key: string): Promise<Record<string, string>> => {
  const { Body } = await aws.s3().send(new GetObjectCommand({ Bucket: 'training', Key: key }));
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-archive-'));
  try {
    await writeFile(join(folder, 'archive.tar.gz'), (await Body?.transformToByteArray()) ?? '');
    const names = execFileSync('tar', ['-xzvf', 'archive.tar.gz'], { cwd: folder, encoding: 'utf8' })
      .trim()
      .split('\n');
    const files = names.filter((name) => !name.endsWith('/'));
    return Object.fromEntries(
      await Promise.all(files.map(async (name) => [name, await readFile(join(folder, name), 'utf8')])),
    );
  } finally {
    await rm(folder, { recursive: true });
  }
};

const Report = z.object({
  environment: z.record(z.string(), z.string()),
  channel: z.record(z.string(), z.string()),
  hyperparameters: z.record(z.string(), z.string()),
  inputs: z.record(z.string(), z.unknown()),
});

const reportOf = async (job: string): Promise<z.infer<typeof Report>> => {
  const model = await archive(`output/${job}/output/model.tar.gz`);
  expect(Object.keys(model)).toEqual(['report.json']);
  return Report.parse(JSON.parse(model['report.json'] ?? ''));
};

const StateChange = z.object({ source: z.string(), account: z.string(), detail: z.record(z.string(), z.unknown()) });

test('a job that succeeds leaves its model and its times', async () => {
  const job = await train('succeeds', 'report', { Environment: { PLANTED: 'yes' } });
  expect(job).toMatchObject({
    TrainingJobStatus: 'Completed',
    SecondaryStatus: 'Completed',
    TrainingJobArn: `arn:aws:sagemaker:us-east-1:${ACCOUNT}:training-job/succeeds`,
    ModelArtifacts: { S3ModelArtifacts: 's3://training/output/succeeds/output/model.tar.gz' },
    HyperParameters: { behaviour: 'report' },
  });
  expect(job.FailureReason).toBeUndefined();
  expect(job.TrainingEndTime).toBeInstanceOf(Date);
  expect(job.SecondaryStatusTransitions?.map(({ Status }) => Status)).toEqual([
    'Starting',
    'Downloading',
    'Training',
    'Uploading',
    'Completed',
  ]);
  const report = await reportOf('succeeds');
  expect(report.channel).toEqual({ 'b.txt': 'two', 'part/a.txt': 'one' });
  expect(report.hyperparameters).toEqual({ behaviour: 'report', 'learning-rate': '0.1' });
  expect(Object.keys(report.inputs)).toEqual(['train']);
  expect(report.environment).toMatchObject({ PLANTED: 'yes', TRAINING_JOB_NAME: 'succeeds', SM_CHANNELS: '["train"]' });
});

test('the environment of a job is empty but for the contract', async () => {
  await train('emptied', 'report');
  const { environment } = await reportOf('emptied');
  const contract =
    /^(SM_[A-Z0-9_]+|TRAINING_JOB_(NAME|ARN)|PATH|HOME|TMPDIR|LANG|LC_CTYPE|TZ|PYTHONUNBUFFERED|PYTHONDONTWRITEBYTECODE|PWD|SHLVL|_|OLDPWD)$/;
  expect(Object.keys(environment).filter((name) => !contract.test(name))).toEqual([]);
  expect(JSON.stringify(environment)).not.toContain(new URL(cloud.endpoint).port);
});

test('the failure file becomes the reason', async () => {
  const job = await train('fails-with-file', 'failure-file');
  expect(job.TrainingJobStatus).toBe('Failed');
  expect(job.FailureReason).toBe('AlgorithmError: column dep_delay is missing, exit code: 3');
  expect(job.ModelArtifacts).toBeUndefined();
  expect(await archive('output/fails-with-file/output/output.tar.gz')).toMatchObject({
    failure: 'column dep_delay is missing',
  });
});

test('an exit code without a failure file is a failure too', async () => {
  expect((await train('exits', 'exit')).FailureReason).toBe('AlgorithmError: , exit code: 9');
});

test('a job that runs too long is stopped and keeps what it wrote', async () => {
  const job = await train('too-long', 'wait', { StoppingCondition: { MaxRuntimeInSeconds: 1 } });
  expect(job).toMatchObject({ TrainingJobStatus: 'Stopped', SecondaryStatus: 'MaxRuntimeExceeded' });
  expect(await archive('output/too-long/output/model.tar.gz')).toEqual({ 'partial.txt': 'half' });
});

test('a job can be stopped, once', async () => {
  await create(request('stopped', 'wait'));
  await eventually('training', async () =>
    (await describeJob('stopped')).SecondaryStatus === 'Training' ? true : undefined,
  );
  await aws.sagemaker().send(new StopTrainingJobCommand({ TrainingJobName: 'stopped' }));
  expect(await ended('stopped')).toMatchObject({ TrainingJobStatus: 'Stopped', SecondaryStatus: 'Stopped' });
  await expect(aws.sagemaker().send(new StopTrainingJobCommand({ TrainingJobName: 'stopped' }))).rejects.toThrow(
    'The request was rejected because the training job is in status Stopped.',
  );
});

test('an unknown image and missing data are the caller’s errors', async () => {
  const AlgorithmSpecification = {
    TrainingImage: `nobody@sha256:${'0'.repeat(64)}`,
    TrainingInputMode: 'File' as const,
  };
  const unknown = await train('unknown-image', 'report', { AlgorithmSpecification });
  expect(unknown.TrainingJobStatus).toBe('Failed');
  expect(unknown.FailureReason).toMatch(/^ClientError: Cannot pull algorithm container\./);
  const S3DataSource = { S3DataType: 'S3Prefix' as const, S3Uri: 's3://training/nothing/' };
  const missing = await train('no-data', 'report', {
    InputDataConfig: [{ ChannelName: 'train', DataSource: { S3DataSource } }],
  });
  expect(missing.FailureReason).toMatch(/^ClientError: Data download failed:No S3 objects found/);
});

describe('refused at once', () => {
  const cases: [string, Partial<CreateTrainingJobCommandInput>, RegExp][] = [
    [
      'a bad name',
      { TrainingJobName: 'under_score' },
      /'under_score' at 'trainingJobName' failed to satisfy constraint: Member must satisfy/,
    ],
    [
      'no stopping condition',
      { StoppingCondition: undefined },
      /Value null at 'stoppingCondition' failed to satisfy constraint: Member must not be null/,
    ],
    ['a runtime of nothing', { StoppingCondition: { MaxRuntimeInSeconds: 0 } }, /greater than or equal to 1/],
    [
      'another account’s role',
      { RoleArn: 'arn:aws:iam::222222222222:role/trainer' },
      /Cross-account pass role is not allowed/,
    ],
    [
      'an output that is no S3 path',
      { OutputDataConfig: { S3OutputPath: '/tmp/model' } },
      /'outputDataConfig.s3OutputPath'/,
    ],
  ];
  test.each(cases)('%s', async (_, more, message) => {
    const refused = create(request('refused', 'report', more));
    await expect(refused).rejects.toThrow(message);
    await expect(refused).rejects.toMatchObject({ name: 'ValidationException' });
  });

  test('a name used before, and a job that is not there', async () => {
    await train('twice', 'report');
    await expect(create(request('twice', 'report'))).rejects.toMatchObject({ name: 'ResourceInUse' });
    await expect(describeJob('nowhere')).rejects.toMatchObject({
      name: 'ValidationException',
      message: 'Requested resource not found.',
    });
    const other = clients(cloud, '222222222222').sagemaker();
    await expect(other.send(new DescribeTrainingJobCommand({ TrainingJobName: 'twice' }))).rejects.toThrow('not found');
  });
});

test('jobs are listed by page, filter and order', async () => {
  await Promise.all(['list-a', 'list-b', 'list-c'].map((name) => train(name, name === 'list-b' ? 'exit' : 'report')));
  const first = await list({ MaxResults: 2 });
  expect(first.TrainingJobSummaries?.map((job) => job.TrainingJobName)).toEqual(['list-a', 'list-b']);
  const second = await list({ MaxResults: 2, NextToken: first.NextToken });
  expect(second.TrainingJobSummaries?.map((job) => job.TrainingJobName)).toEqual(['list-c']);
  expect(second.NextToken).toBeUndefined();
  const failed = await list({ StatusEquals: 'Failed' });
  expect(failed.TrainingJobSummaries?.map((job) => job.TrainingJobName)).toEqual(['list-b']);
});

test('every change of status is an event on the account’s bus', async () => {
  await train('told', 'report', { Tags: [{ Key: 'run', Value: '42' }] });
  const seen: Record<string, unknown>[] = [];
  await eventually('the event of the end', async () => {
    const { Messages = [] } = await aws
      .sqs()
      .send(new ReceiveMessageCommand({ QueueUrl: queueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 1 }));
    const events = Messages.map(({ Body }) => StateChange.parse(JSON.parse(Body ?? '')));
    seen.push(
      ...events
        .filter(({ detail }) => detail['TrainingJobName'] === 'told')
        .map(({ source, account, detail }) => ({ source, account, ...detail })),
    );
    return seen.find((event) => event['SecondaryStatus'] === 'Completed');
  });
  expect(new Set(seen.map((event) => event['SecondaryStatus']))).toEqual(
    new Set(['Completed', 'Downloading', 'Starting', 'Training', 'Uploading']),
  );
  expect(seen.find((event) => event['SecondaryStatus'] === 'Completed')).toMatchObject({
    source: 'aws.sagemaker',
    account: ACCOUNT,
    TrainingJobStatus: 'Completed',
    ModelArtifacts: { S3ModelArtifacts: 's3://training/output/told/output/model.tar.gz' },
    HyperParameters: { behaviour: 'report' },
    Tags: { run: '42' },
  });
});

test('an isolated job reaches neither S3 nor anything else', async () => {
  const Environment = { TARGET: cloud.endpoint };
  const open = await train('open', 'reach', { Environment });
  expect(open.TrainingJobStatus).toBe('Completed');
  const isolated = await train('isolated', 'reach', { Environment, EnableNetworkIsolation: true });
  // Where the machine offers no namespaces, the job runs and its log says so: docs/emulator.md.
  const reason = (await canIsolate()) ? /^AlgorithmError: .*(refused|unreachable).*, exit code: 5$/ : undefined;
  expect(isolated.FailureReason ?? '').toMatch(reason ?? /^$/);
});

test('an isolated job does not see the emulator’s files', async () => {
  const Environment = { TARGET: join(cloud.home, 'emulator') };
  const open = await train('looks', 'look', { Environment });
  expect(open.FailureReason).toMatch(/^AlgorithmError: found \['tmp'\]/);
  const isolated = await train('looks-isolated', 'look', { Environment, EnableNetworkIsolation: true });
  expect(isolated.FailureReason).toMatch(
    (await canIsolate()) ? /^AlgorithmError: found \[\]/ : /^AlgorithmError: found/,
  );
});

test('a processing job reads its inputs and writes its outputs', async () => {
  await aws.sagemaker().send(
    new CreateProcessingJobCommand({
      ProcessingJobName: 'process',
      AppSpecification: { ImageUri: IMAGE, ContainerArguments: ['process'] },
      RoleArn: `arn:aws:iam::${ACCOUNT}:role/trainer`,
      ProcessingResources: { ClusterConfig: { InstanceType: 'ml.m5.large', InstanceCount: 1, VolumeSizeInGB: 10 } },
      ProcessingInputs: [
        {
          InputName: 'rows',
          S3Input: {
            S3Uri: 's3://training/rows/',
            LocalPath: '/opt/ml/processing/input',
            S3DataType: 'S3Prefix',
            S3InputMode: 'File',
          },
        },
      ],
      ProcessingOutputConfig: {
        Outputs: [
          {
            OutputName: 'out',
            S3Output: {
              S3Uri: 's3://training/processed',
              LocalPath: '/opt/ml/processing/output',
              S3UploadMode: 'EndOfJob',
            },
          },
        ],
      },
    }),
  );
  const job = await eventually('the end of the processing job', async () => {
    const found = await aws.sagemaker().send(new DescribeProcessingJobCommand({ ProcessingJobName: 'process' }));
    return found.ProcessingJobStatus === 'InProgress' ? undefined : found;
  });
  expect(job).toMatchObject({ ProcessingJobStatus: 'Completed', ExitMessage: '2 files' });
  const { Body } = await aws.s3().send(new GetObjectCommand({ Bucket: 'training', Key: 'processed/names.txt' }));
  expect(await Body?.transformToString()).toBe('b.txt\npart/a.txt\n');
});
