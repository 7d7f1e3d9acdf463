import {
  DescribeTrainingJobCommand,
  ListTrainingJobsCommand,
  type ListTrainingJobsCommandInput,
  type CreateTrainingJobCommandInput,
} from '@aws-sdk/client-sagemaker';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { clients } from '../_helpers/cloud.ts';
import { cloud, aws, request, create, describeJob, train, begin, end } from './_sagemaker.ts';

beforeAll(begin);
afterAll(end);

const list = (input: ListTrainingJobsCommandInput) =>
  aws.sagemaker().send(new ListTrainingJobsCommand({ NameContains: 'list-', SortBy: 'Name', ...input }));

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
