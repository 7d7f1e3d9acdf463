import { CreateBucketCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { PutRuleCommand, PutTargetsCommand } from '@aws-sdk/client-eventbridge';
import {
  CreateTrainingJobCommand,
  DescribeTrainingJobCommand,
  type CreateTrainingJobCommandInput,
  type DescribeTrainingJobCommandOutput,
} from '@aws-sdk/client-sagemaker';
import { CreateQueueCommand } from '@aws-sdk/client-sqs';
import { join } from 'node:path';
import { registerLocalImages } from '#local/sagemaker/images.ts';
import { clients, eventually, freshCloud, type TestCloud } from '../_helpers/cloud.ts';

export const ACCOUNT = '111111111111';

export const IMAGE = `trainer@sha256:${'a'.repeat(64)}`;

const PROGRAM = join(import.meta.dirname, 'fixture', 'train.py');

export let cloud: TestCloud;

export let aws: ReturnType<typeof clients>;

export let queueUrl = '';

export const request = (
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

export const create = (input: CreateTrainingJobCommandInput) =>
  aws.sagemaker().send(new CreateTrainingJobCommand(input));

export const describeJob = (TrainingJobName: string) =>
  aws.sagemaker().send(new DescribeTrainingJobCommand({ TrainingJobName }));

export const ended = (name: string): Promise<DescribeTrainingJobCommandOutput> =>
  eventually(`the end of ${name}`, async () => {
    const job = await describeJob(name);
    return ['Completed', 'Failed', 'Stopped'].includes(job.TrainingJobStatus ?? '') ? job : undefined;
  });

export const train = async (name: string, behaviour: string, more: Partial<CreateTrainingJobCommandInput> = {}) => {
  await create(request(name, behaviour, more));
  return ended(name);
};

/** A cloud with an image that trains, and a queue of its events. */
export async function begin(): Promise<void> {
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
}

/** Removes what was made. */
export async function end(): Promise<void> {
  await cloud[Symbol.asyncDispose]();
}
