import { GetObjectCommand } from '@aws-sdk/client-s3';
import {
  CreateProcessingJobCommand,
  DescribeProcessingJobCommand,
  StopTrainingJobCommand,
} from '@aws-sdk/client-sagemaker';
import { ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { canIsolate } from '#local/sagemaker/container.ts';
import { eventually } from '../_helpers/cloud.ts';
import {
  ACCOUNT,
  IMAGE,
  cloud,
  aws,
  queueUrl,
  request,
  create,
  describeJob,
  ended,
  train,
  begin,
  end,
} from './_sagemaker.ts';

beforeAll(begin);
afterAll(end);

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
