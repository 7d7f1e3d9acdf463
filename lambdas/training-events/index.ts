// Without this function a run would wait for its jobs until it timed out: it returns the task token of a job
// whose state has changed. The event is a hint; how the job ended is asked of SageMaker.
import { SageMakerClient } from '@aws-sdk/client-sagemaker';
import { SFNClient } from '@aws-sdk/client-sfn';
import { z } from 'zod';
import { stepFunctions } from '#adapters/aws/state-machines.ts';
import { sageMakerProcessing } from '#adapters/aws/processing.ts';
import { sageMakerJobs } from '#adapters/aws/training.ts';
import { parseDocument } from '#domain/canonical/digest.ts';
import { readEnvironment } from '#runtime/env.ts';
import { logger } from '#runtime/observability.ts';
import { clock, ledgerOf, lookUp, s3, Text } from '#runtime/wiring.ts';
import { returnJobToken } from '#use-cases/retraining/return-job-token.ts';

const { LEDGER_TABLE } = readEnvironment(z.object({ LEDGER_TABLE: Text }));
const sageMaker = new SageMakerClient();
const deps = {
  ledger: ledgerOf({ ledger: LEDGER_TABLE }),
  clock,
  jobs: sageMakerJobs(sageMaker, '', ''),
  checks: sageMakerProcessing({ sageMaker, s3 }, '', ''),
  machines: stepFunctions(new SFNClient(), lookUp({}, 'state machine')),
};
const Event = z.object({
  detail: z.union([z.object({ TrainingJobName: Text }), z.object({ ProcessingJobName: Text })]),
});

export async function handler(event: unknown): Promise<void> {
  const { detail } = parseDocument(Event, event, 'job event');
  const [kind, job] =
    'TrainingJobName' in detail
      ? (['training', detail.TrainingJobName] as const)
      : (['processing', detail.ProcessingJobName] as const);
  logger.info('job looked at', { kind, job, result: await returnJobToken(deps, kind, job) });
}
