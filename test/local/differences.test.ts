// What the emulator does differently from AWS and the product goes around. A test that fails here is good news: the
// difference is gone, and the way around it (docs/emulator.md says where) can be reconsidered.
import { PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { CopyObjectCommand, CreateBucketCommand, GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { CreateStateMachineCommand, DescribeExecutionCommand, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { clients, eventually, freshCloud, type TestCloud } from '../_helpers/cloud.ts';

let cloud: TestCloud;
let aws: ReturnType<typeof clients>;

beforeAll(async () => {
  cloud = await freshCloud();
  aws = clients(cloud, '111111111111');
});
afterAll(() => cloud[Symbol.asyncDispose]());

const run = async (name: string, definition: object): Promise<string> => {
  const { stateMachineArn } = await aws.sfn().send(
    new CreateStateMachineCommand({
      name,
      definition: JSON.stringify(definition),
      roleArn: 'arn:aws:iam::111111111111:role/any',
    }),
  );
  const { executionArn } = await aws.sfn().send(new StartExecutionCommand({ stateMachineArn }));
  const ended = await eventually('the execution', async () => {
    const execution = await aws.sfn().send(new DescribeExecutionCommand({ executionArn }));
    return execution.status === 'RUNNING' ? undefined : execution;
  });
  return ended.status ?? '';
};

const put = (entry: { Source: string; EventBusName?: string }) =>
  aws.events().send(new PutEventsCommand({ Entries: [{ DetailType: 'any', Detail: '{}', ...entry }] }));

test('CopyObject ignores If-None-Match', async () => {
  await aws.s3().send(new CreateBucketCommand({ Bucket: 'copies' }));
  for (const [Key, Body] of [
    ['a', 'new'],
    ['b', 'old'],
  ] as const)
    await aws.s3().send(new PutObjectCommand({ Bucket: 'copies', Key, Body }));
  await aws.s3().send(new CopyObjectCommand({ Bucket: 'copies', Key: 'b', CopySource: 'copies/a', IfNoneMatch: '*' }));
  const { Body } = await aws.s3().send(new GetObjectCommand({ Bucket: 'copies', Key: 'b' }));
  expect(await Body?.transformToString()).toBe('new');
});

test('a state machine’s TimeoutSeconds is ignored', async () => {
  // With the wait scale of tests, 60 seconds are three.
  const States = { Wait: { Type: 'Wait', Seconds: 60, Next: 'Done' }, Done: { Type: 'Succeed' } };
  expect(await run('times-out', { StartAt: 'Wait', TimeoutSeconds: 1, States })).toBe('SUCCEEDED');
});

test('a running execution is not answered for again under the same name and input', async () => {
  const definition = { StartAt: 'Wait', States: { Wait: { Type: 'Wait', Seconds: 1200, End: true } } };
  const { stateMachineArn } = await aws.sfn().send(
    new CreateStateMachineCommand({
      name: 'asked-twice',
      definition: JSON.stringify(definition),
      roleArn: 'arn:aws:iam::111111111111:role/any',
    }),
  );
  const start = () => aws.sfn().send(new StartExecutionCommand({ stateMachineArn, name: 'once', input: '{}' }));
  await start();
  await expect(start()).rejects.toMatchObject({ name: 'ExecutionAlreadyExists' });
});

test('another account’s bus takes no events', async () => {
  const answer = await put({ Source: 'app', EventBusName: 'arn:aws:events:us-east-1:222222222222:event-bus/default' });
  expect(answer.FailedEntryCount).toBe(1);
});

test('a source of aws.* is refused, as on AWS, but for the one that the SageMaker subset uses', async () => {
  expect((await put({ Source: 'aws.s3' })).Entries?.[0]?.ErrorCode).toBe('NotAuthorizedForSourceException');
  expect((await put({ Source: 'aws.sagemaker' })).FailedEntryCount).toBe(0);
});

test('the emulator has no SageMaker of its own', async () => {
  const response = await fetch(cloud.endpoint, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': 'SageMaker.ListTrainingJobs',
      authorization:
        'AWS4-HMAC-SHA256 Credential=111111111111/20260101/us-east-1/sagemaker/aws4_request, SignedHeaders=host, Signature=0',
    },
    body: '{}',
  });
  expect(response.ok).toBe(false);
});
