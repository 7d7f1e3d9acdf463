import type { Environment } from '#domain/environment/environment.ts';
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { CognitoIdentityProviderClient } from '@aws-sdk/client-cognito-identity-provider';
import { DynamoDBClient, ResourceNotFoundException } from '@aws-sdk/client-dynamodb';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { S3Client } from '@aws-sdk/client-s3';
import { SFNClient } from '@aws-sdk/client-sfn';
import { SNSClient } from '@aws-sdk/client-sns';
import { SQSClient } from '@aws-sdk/client-sqs';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { fromIni } from '@aws-sdk/credential-providers';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { cloudWatchMetrics } from '#adapters/aws/alarms.ts';
import { s3ArtifactStore } from '#adapters/aws/artifact-store.ts';
import { dynamoLedger } from '#adapters/aws/ledger.ts';
import { dynamoPredictionRows } from '#adapters/aws/prediction-rows.ts';
import { s3RequestStore } from '#adapters/aws/request-store.ts';
import type { Caller } from '#adapters/aws/signed-call.ts';
import { type LocalCloud, localCloudStatus } from '#local/emulator/cloud.ts';
import { type Config, isIsolated } from '#model/config.ts';
import { type Names, namesOf } from '#model/names.ts';
import type { ReadableStore } from '#ports/artifact-store.ts';
import type { MetricData } from '#ports/metric-data.ts';
import type { ReadableLedger } from '#ports/ledger.ts';
import type { PredictionRows } from '#ports/prediction-rows.ts';
import type { RequestStore } from '#ports/request-log.ts';
import { GatehouseError } from '#domain/error.ts';
import { type Executions, stepFunctions } from './progress/history.ts';
import { RefusedError } from './refusal.ts';

/** An environment as the command line reaches it: on AWS by a profile, on a laptop by the emulator's endpoint. */
export interface Cloud {
  readonly environment: Environment;
  readonly names: Names;
  readonly isLocal: boolean;
  /** The emulator's endpoint, where there is one. */
  readonly endpoint: string | undefined;
  /** To be read only: the command line holds no right to write it. */
  readonly ledger: ReadableLedger;
  /** Published predictions by entity, to be read only. */
  readonly rows: Pick<PredictionRows, 'of'>;
  /** Released artifacts by digest, to be read only. */
  readonly releases: ReadableStore;
  /** Documents of the lake by digest, such as measurements, to be read only. */
  readonly documents: ReadableStore;
  /** The request log of endpoints, to be read only. */
  readonly requests: Pick<RequestStore, 'days' | 'fetch' | 'fetchFailed'>;
  /** Metrics of the account, by the caller's own credentials. */
  readonly metrics: MetricData;
  readonly s3: S3Client;
  readonly sfn: SFNClient;
  /** Executions, to be read only. */
  readonly executions: Executions;
  readonly sqs: SQSClient;
  readonly sns: SNSClient;
  readonly lambda: LambdaClient;
  readonly cognito: CognitoIdentityProviderClient;
  /** The caller's own credentials in the environment's account. */
  readonly credentials: SFNClient['config']['credentials'];
  /** The ARN of the caller, as STS knows it. */
  identity(): Promise<string>;
  /** The outputs of one of the environment's stacks: another stack of the account may have one of the same name. */
  outputs(stack: string): Promise<Readonly<Record<string, string>>>;
}

export interface CloudOptions {
  readonly home: string;
  readonly profile?: string | undefined;
}

/** The clients of an environment. @throws GatehouseError `LOCAL_CLOUD_BROKEN` when a part of the local cloud has crashed. */
export function cloudOf(config: Config, environment: Environment, options: CloudOptions): Cloud {
  const names = namesOf(config, environment);
  const local = runningLocally(options.home);
  const endpoint = local?.endpoint;
  const profile = options.profile ?? config.environments[environment].profile;
  const settings = {
    region: names.region,
    ...(endpoint === undefined
      ? profile === undefined
        ? {}
        : { credentials: fromIni({ profile }) }
      : { endpoint, credentials: { accessKeyId: names.account, secretAccessKey: 'test' } }),
  };
  const tables = { ledger: names.ledgerTable, catalogue: names.catalogueTable };
  const dynamodb = DynamoDBDocumentClient.from(new DynamoDBClient(settings));
  const ledger = dynamoLedger(dynamodb, tables);
  const sfn = new SFNClient(settings);
  const s3 = new S3Client({ ...settings, forcePathStyle: endpoint !== undefined });
  const rows = dynamoPredictionRows(dynamodb, names.predictionTable);
  const deployed = <T>(read: Promise<T>): Promise<T> => read.catch((error: unknown) => notDeployed(environment, error));
  return {
    environment,
    names,
    isLocal: endpoint !== undefined,
    endpoint,
    ledger: {
      get: (key) => deployed(ledger.get(key)),
      getMany: (keys) => deployed(ledger.getMany(keys)),
      query: (pk, range) => deployed(ledger.query(pk, range)),
    },
    rows: { of: (model, entity) => deployed(rows.of(model, entity)) },
    releases: s3ArtifactStore(s3, names.artifactBucket),
    documents: s3ArtifactStore(s3, names.lakeBucket),
    requests: s3RequestStore(s3, names.lakeBucket),
    metrics: cloudWatchMetrics(
      new CloudWatchClient(local === undefined ? settings : { ...settings, endpoint: local.cloudwatchEndpoint }),
    ),
    s3,
    sfn,
    executions: stepFunctions(sfn),
    sqs: new SQSClient(settings),
    sns: new SNSClient(settings),
    lambda: new LambdaClient(settings),
    cognito: new CognitoIdentityProviderClient(settings),
    credentials: () => deployed(sfn.config.credentials()),
    identity: async () => (await new STSClient(settings).send(new GetCallerIdentityCommand())).Arn ?? '',
    outputs: (stack) => deployed(outputsOf(new CloudFormationClient(settings), names.name(stack))),
  };
}

/** Who calls APIs of an environment that take signed calls. */
export function callerOf({ credentials, names: { region } }: Pick<Cloud, 'credentials' | 'names'>): Caller {
  return { credentials, region };
}

/** What is said when environments share an account; undefined when each has its own. */
export function isolationNotice(config: Config): string | undefined {
  return isIsolated(config) ? undefined : 'NOT ISOLATED: environments share an account; this is for a trial only';
}

/** Whether an error means that the named thing is not there. */
export function isMissing(error: unknown): boolean {
  const names = [
    'ResourceNotFoundException',
    'StateMachineDoesNotExist',
    'NoSuchBucket',
    'QueueDoesNotExist',
    'AWS.SimpleQueueService.NonExistentQueue',
  ];
  return error instanceof ResourceNotFoundException || (error instanceof Error && names.includes(error.name));
}

/** What AWS answers, or the SDK says, when it is not sure who is asking, or knows and refuses. */
const NOT_ALLOWED = new Set([
  'CredentialsProviderError',
  'ExpiredToken',
  'ExpiredTokenException',
  'UnrecognizedClientException',
  'InvalidClientTokenId',
  'InvalidSignatureException',
  'AccessDenied',
  'AccessDeniedException',
]);

/** Ends a command on an environment that is not deployed, or not open to the caller, and passes any other error on. */
export function notDeployed(environment: Environment, error: unknown): never {
  if (error instanceof Error && NOT_ALLOWED.has(error.name)) {
    throw new RefusedError({
      rule: 'credentials',
      found: `no credentials for ${environment} that it accepts: ${error.message}`,
      remedy: 'set up the profile of gatehouse.config.ts or name one by --profile; on a laptop: gatehouse local up',
    });
  }
  if (!isMissing(error)) throw error;
  throw new RefusedError({
    rule: 'environment-deployed',
    found: `${environment} is not deployed`,
    remedy: `run: gatehouse deploy ${environment}`,
  });
}

function runningLocally(home: string): LocalCloud | undefined {
  const status = localCloudStatus(home);
  switch (status.state) {
    case 'running':
      return status.cloud;
    case 'stopped':
      return undefined;
    case 'broken': {
      const message = `${status.dead.join(' and ')} of the local cloud has ended; run: gatehouse local up (logs: ${status.logs.join(', ')})`;
      throw new GatehouseError('LOCAL_CLOUD_BROKEN', message);
    }
  }
}

async function outputsOf(client: CloudFormationClient, stack: string): Promise<Record<string, string>> {
  const { Stacks = [] } = await client.send(new DescribeStacksCommand({ StackName: stack })).catch((error: unknown) => {
    // CloudFormation has no error of its own for a stack that is not there.
    if (error instanceof Error && error.name === 'ValidationError') return { Stacks: [] };
    throw error;
  });
  const outputs = Stacks.flatMap(({ Outputs = [] }) => Outputs);
  return Object.fromEntries(
    outputs.flatMap(({ OutputKey, OutputValue }) =>
      OutputKey === undefined || OutputValue === undefined ? [] : [[OutputKey, OutputValue]],
    ),
  );
}
