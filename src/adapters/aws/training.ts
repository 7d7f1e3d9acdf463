import { readFile, writeFile } from 'node:fs/promises';
import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import {
  CreateTrainingJobCommand,
  DescribeTrainingJobCommand,
  type SageMakerClient,
  type TrainingInstanceType,
} from '@aws-sdk/client-sagemaker';
import type { TrainingData, TrainingJobs } from '#ports/training-jobs.ts';
import { readObject, sizeOfObject } from './artifact-store.ts';
import { MAX_MODEL_BYTES, tooLarge, unpackModel, vanished } from './model-archive.ts';
import { createJob, describeJob } from './sagemaker-job.ts';

/** The disk of a training job. */
export const VOLUME_GB = 30;

/** SageMaker's training jobs: network isolation on, one channel, no right beyond the run's own prefix. */
export function sageMakerJobs(client: SageMakerClient, bucket: string, roleArn: string): TrainingJobs {
  return {
    async start(request) {
      return createJob(() =>
        client.send(
          new CreateTrainingJobCommand({
            TrainingJobName: request.name,
            AlgorithmSpecification: { TrainingImage: request.image, TrainingInputMode: 'File' },
            RoleArn: roleArn,
            InputDataConfig: [
              {
                ChannelName: 'train',
                DataSource: {
                  S3DataSource: {
                    S3DataType: 'S3Prefix',
                    S3Uri: `s3://${bucket}/${request.input}`,
                    S3DataDistributionType: 'FullyReplicated',
                  },
                },
              },
            ],
            OutputDataConfig: { S3OutputPath: `s3://${bucket}/${request.output}` },
            ResourceConfig: {
              InstanceType: request.instanceType as TrainingInstanceType,
              InstanceCount: 1,
              VolumeSizeInGB: VOLUME_GB,
            },
            StoppingCondition: { MaxRuntimeInSeconds: request.maxRuntimeSeconds },
            HyperParameters: { ...request.hyperparameters },
            EnableNetworkIsolation: true,
          }),
        ),
      );
    },
    async describe(name) {
      const job = await describeJob(() => client.send(new DescribeTrainingJobCommand({ TrainingJobName: name })));
      if (job === undefined) return { kind: 'absent' };
      switch (job.TrainingJobStatus) {
        case 'Completed':
          return {
            kind: 'completed',
            artifact: job.ModelArtifacts?.S3ModelArtifacts ?? '',
            seconds: job.TrainingTimeInSeconds ?? 0,
          };
        case 'Failed':
        case 'Stopped':
        case 'Deleting':
          return {
            kind: 'failed',
            reason:
              job.FailureReason ?? `the job ended as ${job.TrainingJobStatus} (${job.SecondaryStatus ?? 'no details'})`,
          };
        case 'InProgress':
        case 'Stopping':
        case undefined:
          return { kind: 'running' };
      }
    },
  };
}

/** What jobs read and leave, in the training bucket. */
export function s3TrainingData(client: S3Client, bucket: string): TrainingData {
  return {
    async readArtifact(uri) {
      const { host, pathname } = URL.parse(uri) ?? { host: '', pathname: '' };
      const key = decodeURIComponent(pathname.slice(1));
      const size = key === '' ? undefined : await sizeOfObject(client, host, key);
      // What would not fit into the memory of the function is not read.
      if (size !== undefined && size > MAX_MODEL_BYTES) return tooLarge(`model.tar.gz has ${size}`);
      const content = size === undefined ? undefined : await readObject(client, host, key);
      return content === undefined ? vanished(uri) : unpackModel(content);
    },
    async fetch(key, path) {
      const content = await readObject(client, bucket, key);
      if (content !== undefined) await writeFile(path, content);
      return content !== undefined;
    },
    async storeRows(key, path) {
      // The whole file, not a stream: the SDK can send it again, and no stream can fail when nobody listens any more.
      await client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: await readFile(path) }));
    },
  };
}
