// What SageMaker answers, as it goes over the wire, is a value where no retry changes it.
import { S3Client } from '@aws-sdk/client-s3';
import { SageMakerClient } from '@aws-sdk/client-sagemaker';
import { describe, expect, it } from 'vitest';
import { sageMakerProcessing } from '#adapters/aws/processing.ts';
import { sageMakerJobs } from '#adapters/aws/training.ts';
import { onTheWire, type WireFault } from './_wire.ts';

const ROLE = 'arn:aws:iam::111111111111:role/trainer';

/** Both kinds of jobs of a SageMaker that answers every request with the same. */
function answering(fault: WireFault) {
  const config = { region: 'us-east-1', credentials: { accessKeyId: 'a', secretAccessKey: 's' }, maxAttempts: 1 };
  const sageMaker = new SageMakerClient(config);
  onTheWire(sageMaker, () => fault);
  const training = sageMakerJobs(sageMaker, 'bucket', ROLE);
  const processing = sageMakerProcessing({ sageMaker, s3: new S3Client(config) }, 'bucket', ROLE);
  const request = { name: 'job', image: 'unpushed', input: 'in/', output: 'out/', maxRuntimeSeconds: 60 };
  return {
    training: {
      start: () => training.start({ ...request, hyperparameters: {}, instanceType: 'ml.m5.large' }),
      describe: () => training.describe('job'),
    },
    processing: { start: () => processing.start(request), describe: () => processing.describe('job') },
  };
}

describe.each([['training' as const], ['processing' as const]])('a %s job', (kind) => {
  it.each([
    ['ValidationException', 'Requested resource not found.'],
    ['ValidationException', 'Could not find requested job with name: job'],
    ['ResourceNotFound', 'Could not find requested job with name: job'],
  ])('is absent after %s: %s', async (error, message) => {
    expect(await answering({ error, message })[kind].describe()).toEqual({ kind: 'absent' });
  });

  it.each([
    ['ValidationException', 'Member must satisfy regular expression pattern'],
    ['ThrottlingException', 'Rate exceeded'],
    ['AccessDeniedException', 'not authorized, resource not found'],
  ])('is not said to be absent after %s: %s', async (error, message) => {
    await expect(answering({ error, message })[kind].describe()).rejects.toMatchObject({ name: error });
  });

  it.each([
    ['ValidationException', 'Invalid image URI'],
    ['ResourceNotFound', 'The image does not exist'],
  ])('is refused after %s', async (error, message) => {
    expect(await answering({ error, message })[kind].start()).toEqual({
      kind: 'refused',
      reason: `SageMaker refused to create the job: ${error}: ${message}`,
    });
  });

  it('is started where its name is in use, and where SageMaker says so', async () => {
    expect(await answering({ error: 'ResourceInUse' })[kind].start()).toEqual({ kind: 'started' });
    expect(await answering({ answer: { TrainingJobArn: 'arn', ProcessingJobArn: 'arn' } })[kind].start()).toEqual({
      kind: 'started',
    });
  });

  it.each([['ResourceLimitExceeded'], ['ThrottlingException'], ['AccessDeniedException']])(
    'is tried again after %s',
    async (error) => {
      await expect(answering({ error })[kind].start()).rejects.toMatchObject({ name: error });
    },
  );
});
