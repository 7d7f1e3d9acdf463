import { GetMetricDataCommand, PutMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { CreateQueueCommand, GetQueueUrlCommand } from '@aws-sdk/client-sqs';
import { CreateTrainingJobCommand, DescribeTrainingJobCommand } from '@aws-sdk/client-sagemaker';
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { localCloudStatus, startLocalCloud, stopLocalCloud, type LocalCloud } from '#local/emulator/cloud.ts';
import { copyLocalCloud } from '#local/emulator/copy.ts';
import { awaitHealth, startService } from '#local/emulator/processes.ts';
import { readState } from '#local/emulator/state.ts';
import { registerLocalImages } from '#local/sagemaker/images.ts';
import { clients, eventually } from '../_helpers/cloud.ts';

const ACCOUNT = '111111111111';
let home = '';

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'gatehouse-test-'));
});
afterEach(async () => {
  await stopLocalCloud(home);
  await rm(home, { recursive: true, force: true });
});

const OPTIONS = { controlAccount: '444444444444', owner: process.pid };
const start = (): Promise<LocalCloud> => startLocalCloud({ ...OPTIONS, home });
// Every process of the cloud carries its home among its arguments, or its parent's.
const processes = (): string[] =>
  execFileSync('ps', ['-eww', '-o', 'pid=,pgid=,command='], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line.includes(home) && !line.includes('ps -eww'));

const s3 = (cloud: LocalCloud) => clients(cloud, ACCOUNT).s3();

const pidOf = (service: 'emulator' | 'sagemaker'): number => {
  const state = readState(home);
  if (state === undefined) throw new Error('nothing runs');
  return state[service].pid;
};

test('a second start finds the first, both at once included; stop leaves no process; a second stop is harmless', async () => {
  expect(localCloudStatus(home)).toEqual({ state: 'stopped' });
  const [first, second] = await Promise.all([start(), start()]);
  expect(second).toEqual(first);
  expect(await start()).toEqual(first);
  expect(localCloudStatus(home)).toEqual({ state: 'running', cloud: first });
  expect(processes()).toHaveLength(3);
  expect(await stopLocalCloud(home)).toBe(true);
  expect(processes()).toEqual([]);
  expect(localCloudStatus(home)).toEqual({ state: 'stopped' });
  expect(await stopLocalCloud(home)).toBe(false);
});

/** The values of a metric of the last hour. */
async function measured(cloud: LocalCloud): Promise<readonly number[] | undefined> {
  const MetricStat = { Metric: { Namespace: 'N', MetricName: 'm' }, Period: 3600, Stat: 'Sum' };
  const [StartTime, EndTime] = [new Date(Date.now() - 3_600_000), new Date(Date.now() + 60_000)];
  const query = { MetricDataQueries: [{ Id: 'm', MetricStat }], StartTime, EndTime };
  const { MetricDataResults } = await clients(cloud, ACCOUNT).cloudWatch().send(new GetMetricDataCommand(query));
  return MetricDataResults?.[0]?.Values;
}

test('what was stored survives a stop, under the same endpoint', async () => {
  const first = await start();
  await s3(first).send(new CreateBucketCommand({ Bucket: 'kept' }));
  await s3(first).send(new PutObjectCommand({ Bucket: 'kept', Key: 'a', Body: 'still here' }));
  await clients(first, ACCOUNT)
    .cloudWatch()
    .send(new PutMetricDataCommand({ Namespace: 'N', MetricData: [{ MetricName: 'm', Value: 3 }] }));
  await stopLocalCloud(home);
  const second = await start();
  expect(second.endpoint).toBe(first.endpoint);
  const { Body } = await s3(second).send(new GetObjectCommand({ Bucket: 'kept', Key: 'a' }));
  expect(await Body?.transformToString()).toBe('still here');
  expect(second.cloudwatchEndpoint).toBe(first.cloudwatchEndpoint);
  expect(await measured(second)).toEqual([3]);
});

test('a copy of a stopped cloud has its objects and queues, on ports of its own, and leaves the cloud as it was', async () => {
  const original = await start();
  const sqs = (cloud: LocalCloud) => clients(cloud, ACCOUNT).sqs();
  await expect(copyLocalCloud(home, join(home, 'copy'))).rejects.toMatchObject({ code: 'LOCAL_COPY_REFUSED' });
  await s3(original).send(new CreateBucketCommand({ Bucket: 'kept' }));
  await s3(original).send(new PutObjectCommand({ Bucket: 'kept', Key: 'a', Body: 'first' }));
  await sqs(original).send(new CreateQueueCommand({ QueueName: 'asked' }));
  await stopLocalCloud(home);
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-test-'));
  const copied = join(folder, 'copy');
  try {
    const ports = await copyLocalCloud(home, copied);
    const copy = await startLocalCloud({ ...OPTIONS, home: copied, ports });
    const again = await start();
    const url = async (cloud: LocalCloud) => {
      const { QueueUrl } = await sqs(cloud).send(new GetQueueUrlCommand({ QueueName: 'asked' }));
      return QueueUrl ?? '';
    };
    expect(again.endpoint).toBe(original.endpoint);
    expect(copy.endpoint).toBe(`http://127.0.0.1:${ports.emulator}`);
    expect(new URL(await url(copy)).port).toBe(String(ports.emulator));
    expect(new URL(await url(again)).port).toBe(new URL(original.endpoint).port);
    // What one of them writes, the other does not see, although they share what both had.
    await s3(copy).send(new PutObjectCommand({ Bucket: 'kept', Key: 'a', Body: 'second' }));
    const read = async (cloud: LocalCloud) =>
      (await s3(cloud).send(new GetObjectCommand({ Bucket: 'kept', Key: 'a' }))).Body?.transformToString();
    expect([await read(again), await read(copy)]).toEqual(['first', 'second']);
  } finally {
    await stopLocalCloud(copied);
    await rm(folder, { recursive: true, force: true });
  }
});

test('a crash is seen, and the next start cleans up after it', async () => {
  const first = await start();
  process.kill(-pidOf('emulator'), 'SIGKILL');
  const broken = await eventually('the crash', async () => {
    const status = localCloudStatus(home);
    return status.state === 'broken' ? status : undefined;
  });
  expect(broken).toMatchObject({ dead: ['emulator'], logs: [join(first.home, 'logs', 'emulator.log')] });
  await start();
  expect(localCloudStatus(home).state).toBe('running');
  expect(processes()).toHaveLength(3);
});

test('a job that a crash interrupted ends with it and has failed', async () => {
  const image = `trainer@sha256:${'b'.repeat(64)}`;
  const cloud = await start();
  await clients(cloud, ACCOUNT)
    .s3()
    .send(new CreateBucketCommand({ Bucket: 'training' }));
  registerLocalImages(home, { [image]: { command: ['sh', '-c', `exec sleep 600 # ${home}`], folder: home } });
  const { sagemaker } = clients(cloud, ACCOUNT);
  await sagemaker().send(
    new CreateTrainingJobCommand({
      TrainingJobName: 'interrupted',
      AlgorithmSpecification: { TrainingImage: image, TrainingInputMode: 'File', ContainerArguments: [home] },
      RoleArn: `arn:aws:iam::${ACCOUNT}:role/trainer`,
      OutputDataConfig: { S3OutputPath: 's3://training/output' },
      ResourceConfig: { InstanceType: 'ml.m5.large', InstanceCount: 1, VolumeSizeInGB: 10 },
      StoppingCondition: { MaxRuntimeInSeconds: 600 },
    }),
  );
  const describe = () => sagemaker().send(new DescribeTrainingJobCommand({ TrainingJobName: 'interrupted' }));
  await eventually('training', async () => ((await describe()).SecondaryStatus === 'Training' ? true : undefined));
  process.kill(pidOf('sagemaker'), 'SIGKILL');
  await eventually('the end of the program', async () => (processes().length === 2 ? true : undefined));
  await start();
  expect(await describe()).toMatchObject({
    TrainingJobStatus: 'Failed',
    FailureReason: expect.stringMatching(/local cloud was stopped/),
  });
});

test('a busy port is told with the variable that names another', async () => {
  const server = createServer();
  const port = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
  try {
    const refused = startLocalCloud({ home, controlAccount: '444444444444', ports: { emulator: port } });
    await expect(refused).rejects.toMatchObject({ code: 'LOCAL_PORT_UNUSABLE' });
    await expect(refused).rejects.toThrow(
      `port ${port} is in use or no port; end the program that listens there, or set GATEHOUSE_PORT`,
    );
  } finally {
    server.close();
  }
});

test('a time scale that is no positive number is a fault that names the variable', async () => {
  const refused = startLocalCloud({ ...OPTIONS, home, timeScale: 0 });
  await expect(refused).rejects.toMatchObject({ code: 'LOCAL_TIME_SCALE_UNUSABLE' });
  await expect(refused).rejects.toThrow('set GATEHOUSE_LOCAL_TIME_SCALE to a positive number');
  expect(processes()).toEqual([]);
});

test('a service that ends at its start shows the end of its log', async () => {
  const log = join(home, 'logs', 'service.log');
  const program = [process.execPath, '-e', 'console.error("no such table"); process.exit(3)'] as const;
  const service = await startService('the service', program, {}, log, home);
  await expect(awaitHealth(service, 'http://127.0.0.1:9/', 10_000)).rejects.toThrow(
    `the service ended at start (exit code 3); its log is ${log}, which ends:\nno such table`,
  );
  await expect(startService('the service', ['no-such-program'], {}, log, home)).rejects.toThrow(
    /did not start: .*npm run setup/,
  );
});
