// Without this function what silently stops would be noticed when somebody misses it. It compares what ran with what was expected, looks at
// what carries the work, and tells people; it can start, stop and mend nothing.
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { KMSClient } from '@aws-sdk/client-kms';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { SFNClient } from '@aws-sdk/client-sfn';
import { SNSClient } from '@aws-sdk/client-sns';
import { SQSClient } from '@aws-sdk/client-sqs';
import { z } from 'zod';
import { embeddedMetrics } from '#adapters/aws/metrics.ts';
import { awsResources } from '#adapters/aws/resources.ts';
import { parseDocument } from '#domain/canonical/digest.ts';
import { ENVIRONMENTS } from '#domain/environment/environment.ts';
import { schedulesOf } from '#domain/supervision/schedules.ts';
import { Watched } from '#domain/supervision/watched.ts';
import { readDeployedModels } from '#runtime/deployed-models.ts';
import { readEnvironment } from '#runtime/env.ts';
import { loggedHeartbeats } from '#runtime/heartbeats.ts';
import { tasks } from '#runtime/tasks.ts';
import { clock, ledgerOf, lookUp, Text } from '#runtime/wiring.ts';
import { superviseEnvironment } from '#use-cases/supervision/supervise-environment.ts';

const { ENVIRONMENT, LEDGER_TABLE, CATALOGUE_TABLE, WATCHED } = readEnvironment(
  z.object({
    ENVIRONMENT: z.enum(ENVIRONMENTS),
    LEDGER_TABLE: Text,
    // Where no data are admitted there is none.
    CATALOGUE_TABLE: Text.optional(),
    WATCHED: Text,
  }),
);
const deployed = readDeployedModels();
const definitions = deployed.models.map(({ definition }) => definition);
const watched = parseDocument(Watched, JSON.parse(WATCHED), 'what is watched');
const deps = {
  environment: ENVIRONMENT,
  ledger: ledgerOf({ ledger: LEDGER_TABLE, ...(CATALOGUE_TABLE === undefined ? {} : { catalogue: CATALOGUE_TABLE }) }),
  clock,
  metrics: embeddedMetrics(clock, (line) => process.stdout.write(`${line}\n`)),
  resources: awsResources(
    {
      sfn: new SFNClient(),
      sqs: new SQSClient(),
      sns: new SNSClient(),
      lambda: new LambdaClient(),
      kms: new KMSClient(),
      logs: new CloudWatchLogsClient(),
    },
    lookUp(watched.machines, 'state machine'),
  ),
  deployed,
  watched,
  models: definitions.map(({ name }) => name),
  schedules: schedulesOf(ENVIRONMENT, definitions),
};
const leaving = loggedHeartbeats(deps);

export const handler = tasks({ 'Supervise environment': leaving('supervise', superviseEnvironment(deps)) });
