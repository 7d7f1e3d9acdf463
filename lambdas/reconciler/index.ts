// Without this function whatever gets lost would stay lost: subscriptions, records that nobody published, announcements
// that nobody heard, task tokens that nobody returned, promotions that nobody ended.
import { LambdaClient } from '@aws-sdk/client-lambda';
import { SageMakerClient } from '@aws-sdk/client-sagemaker';
import { SFNClient } from '@aws-sdk/client-sfn';
import { SNSClient } from '@aws-sdk/client-sns';
import { SQSClient } from '@aws-sdk/client-sqs';
import { z } from 'zod';
import { sqsInbox } from '#adapters/aws/inbox.ts';
import { stepFunctions } from '#adapters/aws/state-machines.ts';
import { sageMakerProcessing } from '#adapters/aws/processing.ts';
import { sageMakerJobs } from '#adapters/aws/training.ts';
import { readDeployedModels } from '#runtime/deployed-models.ts';
import { readEnvironment } from '#runtime/env.ts';
import { loggedHeartbeats } from '#runtime/heartbeats.ts';
import { logger } from '#runtime/observability.ts';
import { clock, ledgerOf, lookUp, s3, Text, TextMap } from '#runtime/wiring.ts';
import { reconcileEnvironment } from '#use-cases/reconciler/reconcile-environment.ts';

const { ENVIRONMENT, LEDGER_TABLE, INBOX_ARN, INBOX_URL, PUBLISHER, PEER_TOPICS, MACHINE_ARNS } = readEnvironment(
  z.object({
    ENVIRONMENT: Text,
    LEDGER_TABLE: Text,
    INBOX_ARN: Text,
    INBOX_URL: Text,
    PUBLISHER: Text,
    PEER_TOPICS: TextMap,
    // Where nothing is promoted, no execution is looked at.
    MACHINE_ARNS: TextMap.optional(),
  }),
);
const sageMaker = new SageMakerClient();
const deps = {
  environment: ENVIRONMENT,
  ledger: ledgerOf({ ledger: LEDGER_TABLE }),
  clock,
  machines: stepFunctions(new SFNClient(), lookUp(MACHINE_ARNS ?? {}, 'state machine')),
  jobs: sageMakerJobs(sageMaker, '', ''),
  checks: sageMakerProcessing({ sageMaker, s3 }, '', ''),
  inbox: sqsInbox(
    { sns: new SNSClient(), sqs: new SQSClient(), lambda: new LambdaClient() },
    {
      queueArn: INBOX_ARN,
      queueUrl: INBOX_URL,
      publisher: PUBLISHER,
      topicOf: lookUp(PEER_TOPICS, 'announcements topic'),
    },
  ),
  peers: Object.keys(PEER_TOPICS),
  models: readDeployedModels().models.map(({ definition }) => definition.name),
};
const reconcile = loggedHeartbeats(deps)('reconcile', async () => reconcileEnvironment(deps));

export async function handler(): Promise<void> {
  logger.info('environment reconciled', { ...(await reconcile({})) });
}
