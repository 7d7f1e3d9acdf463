import type { S3Client } from '@aws-sdk/client-s3';
import {
  CreateProcessingJobCommand,
  DescribeProcessingJobCommand,
  type SageMakerClient,
} from '@aws-sdk/client-sagemaker';
import type { ProcessingJobs } from '#ports/processing-jobs.ts';
import { readObject } from './artifact-store.ts';
import { createJob, describeJob } from './sagemaker-job.ts';

/** Where the container of a processing job finds its input and leaves its output. */
const FOLDER = '/opt/ml/processing';

/** SageMaker's processing jobs: network isolation on, one input, one output. */
export function sageMakerProcessing(
  { sageMaker, s3 }: { readonly sageMaker: SageMakerClient; readonly s3: S3Client },
  bucket: string,
  roleArn: string,
): ProcessingJobs {
  return {
    async start({ name, image, input, output, maxRuntimeSeconds }) {
      return createJob(() =>
        sageMaker.send(
          new CreateProcessingJobCommand({
            ProcessingJobName: name,
            AppSpecification: { ImageUri: image },
            RoleArn: roleArn,
            ProcessingInputs: [
              {
                InputName: 'data',
                S3Input: {
                  S3Uri: `s3://${bucket}/${input}`,
                  LocalPath: `${FOLDER}/input`,
                  S3DataType: 'S3Prefix',
                  S3InputMode: 'File',
                  S3DataDistributionType: 'FullyReplicated',
                },
              },
            ],
            ProcessingOutputConfig: {
              Outputs: [
                {
                  OutputName: 'results',
                  S3Output: {
                    S3Uri: `s3://${bucket}/${output}`,
                    LocalPath: `${FOLDER}/output`,
                    S3UploadMode: 'EndOfJob',
                  },
                },
              ],
            },
            ProcessingResources: {
              ClusterConfig: { InstanceType: 'ml.m5.large', InstanceCount: 1, VolumeSizeInGB: 30 },
            },
            StoppingCondition: { MaxRuntimeInSeconds: maxRuntimeSeconds },
            NetworkConfig: { EnableNetworkIsolation: true },
          }),
        ),
      );
    },
    async describe(name) {
      const job = await describeJob(() =>
        sageMaker.send(new DescribeProcessingJobCommand({ ProcessingJobName: name })),
      );
      if (job === undefined) return { kind: 'absent' };
      switch (job.ProcessingJobStatus) {
        case 'Completed':
          return { kind: 'completed' };
        case 'Failed':
        case 'Stopped':
          return {
            kind: 'failed',
            reason: job.ExitMessage ?? job.FailureReason ?? `the job ended as ${job.ProcessingJobStatus}`,
          };
        case 'InProgress':
        case 'Stopping':
        case undefined:
          return { kind: 'running' };
      }
    },
    readOutput: (key) => readObject(s3, bucket, key),
  };
}
