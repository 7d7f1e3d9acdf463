import type { PolicyStatementProps } from 'aws-cdk-lib/aws-iam';
import type { Names } from '#model/names.ts';

/** A permission and the variables that name what it is for: they travel together, so that neither is given alone. */
export interface Access {
  readonly variables: Readonly<Record<string, string>>;
  readonly statements: readonly PolicyStatementProps[];
}

const bucketArn = (bucket: string): string => `arn:aws:s3:::${bucket}`;

/** The least rights on an environment's resources, by what is done with them. Actions are listed one by one. */
export function accessTo(names: Names) {
  const table = (name: string): string => names.arn('dynamodb', `table/${name}`);
  const reads = (name: string, variable: string): Access => ({
    variables: { [variable]: name },
    statements: [
      { actions: ['dynamodb:BatchGetItem', 'dynamodb:GetItem', 'dynamodb:Query'], resources: [table(name)] },
    ],
  });
  const writes = (name: string, variable: string, authorities: readonly string[]): Access => ({
    variables: { [variable]: name },
    statements: [
      ...reads(name, variable).statements,
      {
        actions: ['dynamodb:PutItem'],
        resources: [table(name)],
        conditions: {
          'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': authorities.map((authority) => `${authority}#*`) },
          // A state change is never written but together with its audit record.
          StringEquals: { 'dynamodb:EnclosingOperation': 'TransactWriteItems' },
          Null: { 'dynamodb:LeadingKeys': 'false' },
        },
      },
      { actions: ['dynamodb:ConditionCheckItem'], resources: [table(name)] },
    ],
  });
  const objects = (
    bucket: string,
    variable: string,
    actions: readonly string[],
    prefixes: readonly string[] = [''],
  ): Access => ({
    variables: { [variable]: bucket },
    statements: [
      { actions: [...actions], resources: prefixes.map((prefix) => `${bucketArn(bucket)}/${prefix}*`) },
      // Without the right to list, a missing object is answered as forbidden, and absence cannot be told from refusal.
      { actions: ['s3:ListBucket'], resources: [bucketArn(bucket)] },
    ],
  });
  return {
    environment: (): Access => ({ variables: { ENVIRONMENT: names.environment }, statements: [] }),
    /** Every change carries its audit record: whoever writes anything may append to the chain. */
    writesLedger: (...authorities: string[]): Access =>
      writes(names.ledgerTable, 'LEDGER_TABLE', ['CHAIN', 'OPERATION', ...authorities]),
    /** Writes what is derived and not audited, such as cursors. */
    writesLedgerUnaudited: (...authorities: string[]): Access => writes(names.ledgerTable, 'LEDGER_TABLE', authorities),
    readsLedger: (): Access => reads(names.ledgerTable, 'LEDGER_TABLE'),
    readsCatalogue: (): Access => reads(names.catalogueTable, 'CATALOGUE_TABLE'),
    writesCatalogue: (...authorities: string[]): Access => writes(names.catalogueTable, 'CATALOGUE_TABLE', authorities),
    readsArtifacts: (): Access => objects(names.artifactBucket, 'ARTIFACT_BUCKET', ['s3:GetObject'], ['objects/']),
    writesArtifacts: (): Access =>
      objects(names.artifactBucket, 'ARTIFACT_BUCKET', ['s3:GetObject', 's3:PutObject'], ['objects/']),
    /** For how long Object Lock retains artifacts, and of which version. */
    readsRetention: (): Access => ({
      variables: { ARTIFACT_BUCKET: names.artifactBucket },
      statements: [{ actions: ['s3:GetObjectRetention'], resources: [`${bucketArn(names.artifactBucket)}/objects/*`] }],
    }),
    /** Whether the environment's own keys can be used; IAM knows a key by its id, and these by their aliases. */
    describesKeys: (): Access => ({
      variables: { SIGNING_KEY_ALIAS: names.signingKeyAlias, REQUEST_LOG_KEY_ALIAS: names.requestLogKeyAlias },
      statements: [
        {
          actions: ['kms:DescribeKey'],
          resources: [names.arn('kms', 'key/*')],
          conditions: {
            'ForAnyValue:StringEquals': { 'kms:ResourceAliases': [names.signingKeyAlias, names.requestLogKeyAlias] },
          },
        },
      ],
    }),
    readsLake: (): Access => objects(names.lakeBucket, 'LAKE_BUCKET', ['s3:GetObject', 's3:GetObjectVersion']),
    /** Plans and measurements, which lie in the lake by digest; neither events nor features. */
    readsDocuments: (): Access => objects(names.lakeBucket, 'LAKE_BUCKET', ['s3:GetObject'], ['objects/']),
    writesDocuments: (): Access =>
      objects(names.lakeBucket, 'LAKE_BUCKET', ['s3:GetObject', 's3:PutObject'], ['objects/']),
    /** The daily aggregates of a model, and the documents that list them. */
    readsDailyAggregates: (model: string): Access => {
      const bucket = bucketArn(names.lakeBucket);
      // What was built is read by the version that its record names.
      const built = { actions: ['s3:GetObject', 's3:GetObjectVersion'], resources: [`${bucket}/${model}/daily/*`] };
      const documents = objects(names.lakeBucket, 'LAKE_BUCKET', ['s3:GetObject'], ['objects/']);
      return { ...documents, statements: [built, ...documents.statements] };
    },
    /** Entries of the request log that are too long for a line: put, and never read back. */
    putsLongRequests: (model: string): Access => ({
      variables: { LAKE_BUCKET: names.lakeBucket },
      statements: [
        { actions: ['s3:PutObject'], resources: [`${bucketArn(names.lakeBucket)}/request-events/${model}/long/*`] },
      ],
    }),
    /** The request log of all models in the lake. */
    writesRequestLog: (): Access => {
      const bucket = bucketArn(names.lakeBucket);
      return {
        variables: { LAKE_BUCKET: names.lakeBucket },
        statements: [
          { actions: ['s3:GetObject'], resources: [`${bucket}/request-events/*/long/*`] },
          {
            actions: ['s3:PutObject'],
            resources: [
              `${bucket}/*/requests/day=*`,
              `${bucket}/*/failed-requests/*`,
              `${bucket}/request-events/*/day=*`,
            ],
          },
          { actions: ['s3:ListBucket'], resources: [bucket] },
        ],
      };
    },
    writesLake: (): Access =>
      objects(names.lakeBucket, 'LAKE_BUCKET', ['s3:GetObject', 's3:GetObjectVersion', 's3:PutObject']),
    /** What was built and is referred to: predictions, features, daily aggregates, and the documents that list them. */
    readsStoredLake: (): Access => {
      const bucket = bucketArn(names.lakeBucket);
      const built = ['predictions', 'features', 'daily'].map((kind) => `${bucket}/*/${kind}/*`);
      const documents = objects(names.lakeBucket, 'LAKE_BUCKET', ['s3:GetObject'], ['objects/']);
      return { ...documents, statements: [{ actions: ['s3:GetObject'], resources: built }, ...documents.statements] };
    },
    readsLanding: (): Access => objects(names.landingBucket, 'LANDING_BUCKET', ['s3:GetObject', 's3:GetObjectVersion']),
    /** What a run staged for its training jobs, and what they left. */
    readsTrainingOutput: (): Access => objects(names.trainingBucket, 'TRAINING_BUCKET', ['s3:GetObject'], ['runs/']),
    /** What processing jobs found; the prefix of a run holds it beside what they were given. */
    readsCheckResults: (): Access =>
      objects(names.trainingBucket, 'TRAINING_BUCKET', ['s3:GetObject'], ['runs/*/check/output/']),
    writesTrainingRows: (): Access => objects(names.trainingBucket, 'TRAINING_BUCKET', ['s3:PutObject'], ['runs/']),
    /** What this environment shows to its peers, to be compared with its chain. */
    readsPublished: (): Access =>
      objects(names.publishedBucket, 'PUBLISHED_BUCKET', ['s3:GetObject'], ['chain/', 'pointers/', 'keys/']),
    writesPublished: (): Access => objects(names.publishedBucket, 'PUBLISHED_BUCKET', ['s3:GetObject', 's3:PutObject']),
    /** Rows for look-up: put in batches, never read back, and forgotten by their expiry. */
    publishesRows: (): Access => ({
      variables: { PREDICTION_TABLE: names.predictionTable },
      statements: [{ actions: ['dynamodb:BatchWriteItem'], resources: [table(names.predictionTable)] }],
    }),
    putsEvents: (): Access => ({
      variables: { BUS: names.bus },
      statements: [{ actions: ['events:PutEvents'], resources: [names.arn('events', `event-bus/${names.bus}`)] }],
    }),
    starts: (machine: string): Access => ({
      variables: { MACHINE_ARN: names.stateMachineArn(machine) },
      statements: [{ actions: ['states:StartExecution'], resources: [names.stateMachineArn(machine)] }],
    }),
    /** Metrics and alarms; CloudWatch knows these rights for all of an account's metrics only. */
    readsAlarms: (): Access => ({
      variables: {},
      statements: [
        { actions: ['cloudwatch:GetMetricData'], resources: ['*'] },
        { actions: ['cloudwatch:DescribeAlarms'], resources: [names.arn('cloudwatch', 'alarm:*')] },
      ],
    }),
    /** Task tokens are their own proof; Step Functions knows this right for a machine only. */
    returnsTokens: (...machines: string[]): Access => ({
      variables: {},
      statements: [
        { actions: ['states:SendTaskSuccess'], resources: machines.map((machine) => names.stateMachineArn(machine)) },
      ],
    }),
    /** How executions of a machine ended, and starting another one. */
    describesAndStarts: (described: string, started: string): Access => {
      const [ofDescribed, ofStarted] = [names.stateMachineArn(described), names.stateMachineArn(started)];
      return {
        variables: { MACHINE_ARNS: JSON.stringify({ [described]: ofDescribed, [started]: ofStarted }) },
        statements: [
          { actions: ['states:StartExecution'], resources: [ofStarted] },
          {
            actions: ['states:DescribeExecution'],
            resources: [names.arn('states', `execution:${names.name(described)}:*`)],
          },
        ],
      };
    },
    publishes: (variable: string, topicArn: string): Access => ({
      variables: { [variable]: topicArn },
      statements: [{ actions: ['sns:Publish'], resources: [topicArn] }],
    }),
  };
}

/** Starting some of an environment's machines, each by its name. */
export function startsByName(names: Names, machines: readonly string[]): Access {
  const arns = Object.fromEntries(machines.map((machine) => [machine, names.stateMachineArn(machine)]));
  return {
    variables: { MACHINE_ARNS: JSON.stringify(arns) },
    statements: machines.length === 0 ? [] : [{ actions: ['states:StartExecution'], resources: Object.values(arns) }],
  };
}

/** Reading what peers show: their bucket policies name this function's role from the other side. */
export function readsPeers(
  variable: string,
  buckets: Readonly<Record<string, string>>,
  prefixes: readonly string[],
): Access {
  return {
    variables: { [variable]: JSON.stringify(buckets) },
    statements: Object.values(buckets).flatMap((bucket) => [
      { actions: ['s3:GetObject'], resources: prefixes.map((prefix) => `${bucketArn(bucket)}/${prefix}*`) },
      { actions: ['s3:ListBucket'], resources: [bucketArn(bucket)] },
    ]),
  };
}
