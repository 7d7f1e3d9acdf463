// Without this function a run would wait for its training jobs until it timed out: it returns the task token of a job
// whose state has changed. The event is a hint; how the job ended is asked of SageMaker.
import { SageMakerClient } from '@aws-sdk/client-sagemaker';
import { SFNClient } from '@aws-sdk/client-sfn';
import { z } from 'zod';
import { stepFunctions } from '#adapters/aws/state-machines.ts';
import { sageMakerJobs } from '#adapters/aws/training.ts';
import { parseDocument } from '#domain/canonical/digest.ts';
import { readEnvironment } from '#runtime/env.ts';
import { logger } from '#runtime/observability.ts';
import { ledgerOf, lookUp, Text } from '#runtime/wiring.ts';
import { returnTrainingToken } from '#use-cases/retraining/train-window.ts';

const { LEDGER_TABLE } = readEnvironment(z.object({ LEDGER_TABLE: Text }));
const deps = {
  ledger: ledgerOf({ ledger: LEDGER_TABLE }),
  jobs: sageMakerJobs(new SageMakerClient(), '', ''),
  machines: stepFunctions(new SFNClient(), lookUp({}, 'state machine')),
};
const Event = z.object({ detail: z.object({ TrainingJobName: Text }) });

export async function handler(event: unknown): Promise<void> {
  const job = parseDocument(Event, event, 'training job event').detail.TrainingJobName;
  logger.info('job looked at', { job, result: await returnTrainingToken(deps, job) });
}
