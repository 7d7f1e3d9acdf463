import { ResourceInUse, ResourceNotFound, SageMakerServiceException } from '@aws-sdk/client-sagemaker';
import type { JobStart } from '#ports/job.ts';

/**
 * Asks SageMaker for a job. A name that is in use is the echo of an earlier request. What SageMaker finds wrong with the
 * request itself is a value; limits, throttling and missing rights are faults, which pass or are mended.
 */
export async function createJob(send: () => Promise<unknown>): Promise<JobStart> {
  try {
    await send();
  } catch (error) {
    if (isInvalid(error) || error instanceof ResourceNotFound)
      return { kind: 'refused', reason: `SageMaker refused to create the job: ${error.name}: ${error.message}` };
    if (!(error instanceof ResourceInUse)) throw error;
  }
  return { kind: 'started' };
}

/**
 * What SageMaker says of a job, or undefined where it has none of the name. The documentation knows `ResourceNotFound`;
 * training jobs are answered by a `ValidationException` all the same (https://github.com/aws/aws-sdk/issues/165).
 */
export async function describeJob<T>(send: () => Promise<T>): Promise<T | undefined> {
  try {
    return await send();
  } catch (error) {
    const isAbsent =
      error instanceof ResourceNotFound || (isInvalid(error) && /not found|could not find/i.test(error.message));
    if (isAbsent) return undefined;
    throw error;
  }
}

/** SageMaker's SDK has no class for it. */
function isInvalid(error: unknown): error is SageMakerServiceException {
  return error instanceof SageMakerServiceException && error.name === 'ValidationException';
}
