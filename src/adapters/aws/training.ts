import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { createGunzip } from 'node:zlib';
import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import {
  CreateTrainingJobCommand,
  DescribeTrainingJobCommand,
  type SageMakerClient,
  type TrainingInstanceType,
} from '@aws-sdk/client-sagemaker';
import { extract } from 'tar-stream';
import { GatehouseError } from '#domain/error.ts';
import type { TrainingData, TrainingJobs } from '#ports/training-jobs.ts';
import { readObject } from './artifact-store.ts';
import { createJob, describeJob } from './sagemaker-job.ts';

/** The most bytes that a job's model may have when unpacked. */
const MAX_MODEL_BYTES = 256 * 1024 * 1024;

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
              VolumeSizeInGB: 30,
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
      const { hostname, pathname } = new URL(uri);
      const content = await readObject(client, hostname, decodeURIComponent(pathname.slice(1)));
      if (content === undefined) throw new GatehouseError('ARTIFACT_MISSING', `no object at ${uri}`, { uri });
      return unpack(content);
    },
    async storeRows(key, path) {
      await client.send(
        new PutObjectCommand({
          Bucket: bucket,
          Key: key,
          Body: createReadStream(path),
          ContentLength: (await stat(path)).size,
        }),
      );
    },
  };
}

/** The regular files of a `.tar.gz`, by their paths; nothing is written to a disk, so that no path can lead anywhere. */
async function unpack(archive: Uint8Array): Promise<ReadonlyMap<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  let total = 0;
  const entries = Readable.from([archive]).pipe(createGunzip()).pipe(extract());
  for await (const entry of entries) {
    if (entry.header.type !== 'file') {
      entry.resume();
      continue;
    }
    total += entry.header.size ?? 0;
    if (total > MAX_MODEL_BYTES)
      throw new GatehouseError('ARTIFACT_TOO_LARGE', `the model has more than ${MAX_MODEL_BYTES} bytes`, { total });
    files.set(entry.header.name.replace(/^\.\//, ''), await buffer(entry));
  }
  return files;
}
