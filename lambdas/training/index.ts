// Without this function no retraining would be opened, planned or started. It may start training jobs and write runs;
// it can neither register a release nor offer one.
import { SageMakerClient } from '@aws-sdk/client-sagemaker';
import { SFNClient } from '@aws-sdk/client-sfn';
import { z } from 'zod';
import { stepFunctions } from '#adapters/aws/state-machines.ts';
import { sageMakerJobs } from '#adapters/aws/training.ts';
import { FEATURE_ENGINE } from '#domain/data/engines.ts';
import { readDeployedModels } from '#runtime/deployed-models.ts';
import { readEnvironment } from '#runtime/env.ts';
import { loggedHeartbeats } from '#runtime/heartbeats.ts';
import { tasks } from '#runtime/tasks.ts';
import { clock, ledgerOf, lookUp, storesOf, Text } from '#runtime/wiring.ts';
import { recordRunFailure } from '#use-cases/runs/record-run-failure.ts';
import { openRetrainingRun } from '#use-cases/retraining/open-retraining-run.ts';
import { planWindows } from '#use-cases/retraining/plan-windows.ts';
import { trainWindow } from '#use-cases/retraining/train-window.ts';
import { rejectCandidates, rejectUnfitData } from '#use-cases/validation/conclude-validation.ts';

const { ENVIRONMENT, LEDGER_TABLE, CATALOGUE_TABLE, LAKE_BUCKET, ARTIFACT_BUCKET, TRAINING_BUCKET, TRAINING_ROLE_ARN } =
  readEnvironment(
    z.object({
      ENVIRONMENT: Text,
      LEDGER_TABLE: Text,
      CATALOGUE_TABLE: Text,
      LAKE_BUCKET: Text,
      ARTIFACT_BUCKET: Text,
      TRAINING_BUCKET: Text,
      TRAINING_ROLE_ARN: Text,
    }),
  );
const deps = {
  environment: ENVIRONMENT,
  ledger: ledgerOf({ ledger: LEDGER_TABLE, catalogue: CATALOGUE_TABLE }),
  clock,
  deployed: readDeployedModels(),
  ...storesOf({ LAKE_BUCKET, ARTIFACT_BUCKET }),
  engine: FEATURE_ENGINE,
  machines: stepFunctions(new SFNClient(), lookUp({}, 'state machine')),
  jobs: sageMakerJobs(new SageMakerClient(), TRAINING_BUCKET, TRAINING_ROLE_ARN),
};
const reject = rejectCandidates(deps);
const leaving = loggedHeartbeats(deps);

export const handler = tasks({
  'Open retraining run': leaving('retrain', openRetrainingRun(deps), ['trigger', 'schedule']),
  'Plan windows': planWindows(deps),
  'Train window': trainWindow(deps),
  'Reject run': reject,
  'Reject unfit data': rejectUnfitData(deps),
  'Reject untrained run': reject,
  'Record failure': recordRunFailure(deps),
});
