import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { CognitoIdentityProviderClient } from '@aws-sdk/client-cognito-identity-provider';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { KMSClient } from '@aws-sdk/client-kms';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { S3Client } from '@aws-sdk/client-s3';
import { SageMakerClient } from '@aws-sdk/client-sagemaker';
import { SFNClient } from '@aws-sdk/client-sfn';
import { SNSClient } from '@aws-sdk/client-sns';
import { SQSClient } from '@aws-sdk/client-sqs';
import { SSMClient } from '@aws-sdk/client-ssm';
import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '#local/emulator/processes.ts';
import { startLocalCloud, stopLocalCloud, type LocalCloud, type LocalCloudOptions } from '#local/emulator/cloud.ts';
import { copyLocalCloud } from '#local/emulator/copy.ts';

/** A local cloud of a test's own; disposing of it leaves neither a process nor a file. */
export interface TestCloud extends LocalCloud, AsyncDisposable {}

/** Starts an empty cloud on free ports: nothing is kept, and state machines wait a twentieth of their time. */
export async function freshCloud(options: Partial<LocalCloudOptions> = {}): Promise<TestCloud> {
  const home = await mkdtemp(join(tmpdir(), 'gatehouse-test-'));
  return start(home, home, { persistent: false, ...options });
}

/** Starts a copy of a stored cloud, in a folder of its own beside it, so that the two can share files. */
export async function copiedCloud(stored: string, options: Partial<LocalCloudOptions> = {}): Promise<TestCloud> {
  const folder = join(stored, '..', '..', `copy-${process.pid}-${randomUUID()}`);
  await mkdir(folder);
  const home = join(folder, 'cloud');
  const ports = await copyLocalCloud(stored, home);
  return start(home, folder, { persistent: true, ports, ...options });
}

async function start(home: string, folder: string, options: Partial<LocalCloudOptions>): Promise<TestCloud> {
  const own = { home, controlAccount: '444444444444', waitScale: 0.05, owner: process.pid };
  const cloud = await startLocalCloud({ ...own, ...options });
  return {
    ...cloud,
    [Symbol.asyncDispose]: async () => {
      await stopLocalCloud(home, { saving: false });
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** AWS's clients as one account of a cloud; each is made when it is first asked for. */
export function clients(cloud: LocalCloud, account: string) {
  const common = { region: cloud.region, credentials: { accessKeyId: account, secretAccessKey: 'test' } };
  const config = { ...common, endpoint: cloud.endpoint };
  return {
    cloudFormation: lazily(() => new CloudFormationClient(config)),
    cloudWatch: lazily(() => new CloudWatchClient({ ...common, endpoint: cloud.cloudwatchEndpoint })),
    cognito: lazily(() => new CognitoIdentityProviderClient(config)),
    dynamodb: lazily(() => new DynamoDBClient(config)),
    events: lazily(() => new EventBridgeClient(config)),
    kms: lazily(() => new KMSClient(config)),
    lambda: lazily(() => new LambdaClient(config)),
    s3: lazily(() => new S3Client({ ...config, forcePathStyle: true })),
    sagemaker: lazily(() => new SageMakerClient({ ...common, endpoint: cloud.sagemakerEndpoint })),
    sfn: lazily(() => new SFNClient(config)),
    sns: lazily(() => new SNSClient(config)),
    sqs: lazily(() => new SQSClient(config)),
    ssm: lazily(() => new SSMClient(config)),
  };
}

function lazily<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}

/** Polls until `probe` gives something, and gives it back; fails when the time is over, saying what it waited for. */
export async function eventually<T>(what: string, probe: () => Promise<T | undefined>, seconds = 60): Promise<T> {
  let found: T | undefined;
  // The emulator does one thing at a time: who asks without a pause delays what he waits for.
  const held = await until(async () => (found = await probe()) !== undefined, seconds * 1000, 150);
  if (!held || found === undefined) throw new Error(`waited ${seconds} s for ${what}`);
  return found;
}
