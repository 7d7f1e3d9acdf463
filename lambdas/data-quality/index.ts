// Without this function data would be trained on as it comes: it has what was admitted put before the model's suites,
// and judges what they say. It may start processing jobs; it can neither train, register nor offer.
import { SageMakerClient } from '@aws-sdk/client-sagemaker';
import { SFNClient } from '@aws-sdk/client-sfn';
import { z } from 'zod';
import { sageMakerProcessing } from '#adapters/aws/processing.ts';
import { stepFunctions } from '#adapters/aws/state-machines.ts';
import { readDeployedModels } from '#runtime/deployed-models.ts';
import { readEnvironment } from '#runtime/env.ts';
import { loggedHeartbeats } from '#runtime/heartbeats.ts';
import { tasks } from '#runtime/tasks.ts';
import { clock, ledgerOf, lookUp, s3, storesOf, Text } from '#runtime/wiring.ts';
import { recordRunFailure } from '#use-cases/runs/record-run-failure.ts';
import { checkExpectations } from '#use-cases/data-quality/check-expectations.ts';
import { judgeData } from '#use-cases/data-quality/judge-data.ts';
import { planDataCheck } from '#use-cases/data-quality/plan-data-check.ts';

const variables = readEnvironment(
  z.object({
    ENVIRONMENT: Text,
    LEDGER_TABLE: Text,
    CATALOGUE_TABLE: Text,
    LAKE_BUCKET: Text,
    ARTIFACT_BUCKET: Text,
    TRAINING_BUCKET: Text,
    CHECKER_ROLE_ARN: Text,
    CHECKER_IMAGE: Text,
  }),
);
const deps = {
  environment: variables.ENVIRONMENT,
  ledger: ledgerOf({ ledger: variables.LEDGER_TABLE, catalogue: variables.CATALOGUE_TABLE }),
  clock,
  deployed: readDeployedModels(),
  ...storesOf(variables),
  machines: stepFunctions(new SFNClient(), lookUp({}, 'state machine')),
  checks: sageMakerProcessing(
    { sageMaker: new SageMakerClient(), s3 },
    variables.TRAINING_BUCKET,
    variables.CHECKER_ROLE_ARN,
  ),
  image: variables.CHECKER_IMAGE,
};
const leaving = loggedHeartbeats(deps);

export const handler = tasks({
  // Within a retraining it is no schedule that asks.
  'Plan data check': leaving('check', planDataCheck(deps), ['training', null]),
  'Check expectations': checkExpectations(deps),
  'Judge data': judgeData(deps),
  'Record failure': recordRunFailure(deps),
});
