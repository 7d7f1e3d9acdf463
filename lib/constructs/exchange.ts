import { ENVIRONMENTS, type Environment, peersOf } from '#domain/environment/environment.ts';
import { environmentSchedule } from '#domain/supervision/schedules.ts';
import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { StreamViewType } from 'aws-cdk-lib/aws-dynamodb';
import { EventBus } from 'aws-cdk-lib/aws-events';
import { AccountPrincipal, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key, KeySpec, KeyUsage } from 'aws-cdk-lib/aws-kms';
import { EventSourceMapping, FilterCriteria, FilterRule, StartingPosition } from 'aws-cdk-lib/aws-lambda';
import { SqsDlq, SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import { SubscriptionFilter, Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { Config } from '#model/config.ts';
import { namesOf } from '#model/names.ts';
import { accessTo, readsPeers, startsByName } from './access.ts';
import { GatehouseFunction, type StackContext } from './function.ts';
import { PeerBucket, type PeerReader } from './peer-bucket.ts';
import { Schedule } from './schedule.ts';
import { RetainedTable } from './retained-table.ts';

export interface ExchangeProps extends StackContext {
  readonly config: Config;
  readonly environment: Environment;
}

/**
 * What every environment has: its ledger, and the way in which environments speak to each other. Announcements go out by
 * a topic, come in by a queue, and are hints; the facts are signed records in the published bucket, which peers read.
 */
export class Exchange extends Construct {
  readonly intake: GatehouseFunction;

  constructor(scope: Construct, id: string, props: ExchangeProps) {
    super(scope, id);
    const { config, environment, names } = props;
    const followers = ENVIRONMENTS.filter((other) => peersOf(other).includes(environment));
    const ledger = new RetainedTable(this, 'Ledger', {
      tableName: names.ledgerTable,
      stream: StreamViewType.KEYS_ONLY,
    });
    new EventBus(this, 'Bus', { eventBusName: names.bus });
    new PeerBucket(this, 'Published', {
      bucketName: names.publishedBucket,
      readers: followers.flatMap((follower) =>
        readersOf(config, follower, follower === 'dev' ? ['intake', 'validation'] : ['intake']),
      ),
    });
    const inbox = inboxOf(this, props);
    const publisher = publisherOf(this, props, {
      ledger,
      alerts: alertsOf(this, props),
      announcements: announcementsOf(this, props, followers),
    });
    this.intake = intakeOf(this, props, inbox);
    reconcilerOf(this, props, { inbox, publisher });
  }
}

/** The topic by which people are told: the publisher's records, and CloudWatch's alarms. */
function alertsOf(scope: Construct, { config, names }: ExchangeProps): Topic {
  const alerts = new Topic(scope, 'Alerts', { topicName: names.name('alerts'), enforceSSL: true });
  alerts.addToResourcePolicy(
    new PolicyStatement({
      principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
      actions: ['sns:Publish'],
      resources: [alerts.topicArn],
      conditions: { StringEquals: { 'aws:SourceAccount': names.account } },
    }),
  );
  for (const address of config.alerts) alerts.addSubscription(new EmailSubscription(address));
  // An address has one subscription of a topic, whichever roles are its.
  const called = Object.entries(config.onCall ?? {}).flatMap(([role, addresses]) =>
    addresses.map((address) => ({ role, address })),
  );
  for (const [address, roles] of Map.groupBy(called, ({ address: each }) => each)) {
    if (config.alerts.includes(address)) continue;
    const allowlist = roles.map(({ role }) => role);
    alerts.addSubscription(
      new EmailSubscription(address, { filterPolicy: { role: SubscriptionFilter.stringFilter({ allowlist }) } }),
    );
  }
  return alerts;
}

/** The topic by which an environment says that it has news; the reconcilers of those that follow it subscribe their inboxes. */
function announcementsOf(scope: Construct, { config, names }: ExchangeProps, followers: readonly Environment[]): Topic {
  const announcements = new Topic(scope, 'Announcements', {
    topicName: names.name('announcements'),
    enforceSSL: true,
  });
  for (const { account, roleArn } of followers.flatMap((follower) => readersOf(config, follower, ['reconciler']))) {
    announcements.addToResourcePolicy(
      new PolicyStatement({
        principals: [new AccountPrincipal(account)],
        actions: ['sns:Subscribe', 'sns:ListSubscriptionsByTopic'],
        resources: [announcements.topicArn],
        conditions: { ArnEquals: { 'aws:PrincipalArn': [roleArn, `arn:aws:iam::${account}:root`] } },
      }),
    );
  }
  for (const { account, roleArn } of followers.flatMap((follower) => readersOf(config, follower, ['supervisor']))) {
    announcements.addToResourcePolicy(
      new PolicyStatement({
        principals: [new AccountPrincipal(account)],
        actions: ['sns:ListSubscriptionsByTopic'],
        resources: [announcements.topicArn],
        conditions: { ArnEquals: { 'aws:PrincipalArn': [roleArn, `arn:aws:iam::${account}:root`] } },
      }),
    );
  }
  return announcements;
}

/** The topics of the peers that an environment follows, by environment. */
function topicsOf({ config, environment }: ExchangeProps): Readonly<Record<string, string>> {
  const topics = peersOf(environment).map((peer) => [peer, namesOf(config, peer).announcementsTopicArn]);
  return Object.fromEntries(topics);
}

/** The queue that the peers' announcements come in by. */
function inboxOf(scope: Construct, props: ExchangeProps): Queue {
  const { names } = props;
  const inbox = new Queue(scope, 'Inbox', {
    queueName: names.name('inbox'),
    visibilityTimeout: Duration.seconds(360),
    retentionPeriod: Duration.days(14),
    enforceSSL: true,
    deadLetterQueue: {
      maxReceiveCount: 5,
      queue: new Queue(scope, 'InboxDeadLetters', {
        queueName: names.name('inbox-dead-letters'),
        retentionPeriod: Duration.days(14),
        enforceSSL: true,
      }),
    },
  });
  inbox.addToResourcePolicy(
    new PolicyStatement({
      principals: [new ServicePrincipal('sns.amazonaws.com')],
      actions: ['sqs:SendMessage'],
      resources: [inbox.queueArn],
      conditions: { ArnEquals: { 'aws:SourceArn': Object.values(topicsOf(props)) } },
    }),
  );
  return inbox;
}

/** The function that signs and publishes each new record of the ledger's chains. */
function publisherOf(
  scope: Construct,
  props: ExchangeProps,
  {
    ledger,
    alerts,
    announcements,
  }: { readonly ledger: RetainedTable; readonly alerts: Topic; readonly announcements: Topic },
): GatehouseFunction {
  const { environment, names } = props;
  const access = accessTo(names);
  const signingKey = new Key(scope, 'SigningKey', {
    alias: names.signingKeyAlias,
    description: `signs what ${environment} publishes`,
    keySpec: KeySpec.ECC_NIST_P256,
    keyUsage: KeyUsage.SIGN_VERIFY,
    removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
  });
  const publisher = new GatehouseFunction(scope, 'Publisher', {
    ...props,
    privilege: 'publisher',
    // As long as the reconciler's interval: while there is a backlog, one invocation follows the other.
    timeoutSeconds: 300,
    isAsynchronous: true,
  }).bind(
    access.writesLedgerUnaudited('CURSOR'),
    access.writesPublished(),
    access.putsEvents(),
    access.publishes('ANNOUNCEMENTS_TOPIC', announcements.topicArn),
    access.publishes('ALERTS_TOPIC', alerts.topicArn),
    {
      variables: { SIGNING_KEY: signingKey.keyArn },
      statements: [{ actions: ['kms:Sign', 'kms:GetPublicKey'], resources: [signingKey.keyArn] }],
    },
  );
  new EventSourceMapping(scope, 'Records', {
    target: publisher.lambda,
    eventSourceArn: ledger.tableStreamArn ?? '',
    startingPosition: StartingPosition.TRIM_HORIZON,
    batchSize: 25,
    retryAttempts: 10,
    bisectBatchOnError: true,
    onFailure: new SqsDlq(
      new Queue(scope, 'UnpublishedRecords', {
        queueName: names.name('unpublished'),
        retentionPeriod: Duration.days(14),
        enforceSSL: true,
      }),
    ),
    filters: [
      FilterCriteria.filter({
        eventName: FilterRule.isEqual('INSERT'),
        dynamodb: { Keys: { pk: { S: FilterRule.beginsWith('CHAIN#') } } },
      }),
    ],
  });
  publisher.bind({
    variables: {},
    statements: [
      {
        actions: ['dynamodb:DescribeStream', 'dynamodb:GetRecords', 'dynamodb:GetShardIterator'],
        resources: [ledger.tableStreamArn ?? ''],
      },
      { actions: ['dynamodb:ListStreams'], resources: [ledger.tableStreamArn ?? ''] },
    ],
  });
  return publisher;
}

/** Does an environment take releases over, and promote them? */
const promotesIn = (environment: Environment): boolean => environment === 'staging' || environment === 'prod';

/** The function that reads the peers' records, on a hint of the inbox. */
function intakeOf(scope: Construct, props: ExchangeProps, inbox: Queue): GatehouseFunction {
  const { config, environment, names } = props;
  const access = accessTo(names);
  const promotes = promotesIn(environment);
  const peers = peersOf(environment).map((peer) => [peer, namesOf(config, peer).publishedBucket]);
  const intake = new GatehouseFunction(scope, 'Intake', { ...props, privilege: 'intake', timeoutSeconds: 60 }).bind(
    access.environment(),
    access.writesLedger(
      'CURSOR',
      'FAULT',
      'PEER',
      // It takes in votes, and does what they decide: it activates a policy, and lifts a quarantine.
      ...(promotes
        ? ['UPSTREAM', 'ATTESTATION', 'PROMOTION_REQUEST', 'APPROVAL', 'POLICY', 'QUARANTINE_VOTE', 'QUARANTINE']
        : []),
      ...(environment === 'control' ? ['REQUEST'] : []),
      ...(environment === 'dev' ? ['RELEASED'] : []),
    ),
    readsPeers('PEER_BUCKETS', Object.fromEntries(peers), ['chain/', 'keys/']),
    startsByName(names, promotes ? ['promotion'] : environment === 'dev' ? ['retraining'] : []),
    ...(promotes ? [access.returnsTokens('promotion')] : []),
  );
  intake.lambda.addEventSource(
    new SqsEventSource(inbox, { batchSize: 10, reportBatchItemFailures: true, maxConcurrency: 2 }),
  );
  return intake;
}

/** The function that does again, each five minutes, what a lost message or a fault has left undone. */
function reconcilerOf(
  scope: Construct,
  props: ExchangeProps,
  { inbox, publisher }: { readonly inbox: Queue; readonly publisher: GatehouseFunction },
): void {
  const { environment, names } = props;
  const access = accessTo(names);
  const promotes = promotesIn(environment);
  const topics = topicsOf(props);
  const reconciler = new GatehouseFunction(scope, 'Reconciler', {
    ...props,
    privilege: 'reconciler',
    timeoutSeconds: 120,
    isAsynchronous: true,
  }).bind(
    access.environment(),
    access.writesLedger(
      'FAULT',
      'SCHEDULE',
      ...(promotes ? ['PROMOTION', 'LOCK'] : []),
      ...(environment === 'dev' ? ['TASK'] : []),
    ),
    {
      variables: {
        INBOX_ARN: inbox.queueArn,
        INBOX_URL: inbox.queueUrl,
        PUBLISHER: publisher.lambda.functionName,
        PEER_TOPICS: JSON.stringify(topics),
      },
      statements: [
        { actions: ['sns:Subscribe', 'sns:ListSubscriptionsByTopic'], resources: Object.values(topics) },
        { actions: ['sqs:SendMessage'], resources: [inbox.queueArn] },
        { actions: ['lambda:InvokeFunction'], resources: [publisher.lambda.functionArn] },
      ],
    },
    ...(promotes ? [access.returnsTokens('promotion'), access.describesAndStarts('promotion', 'canary')] : []),
    ...(environment === 'dev'
      ? [
          access.returnsTokens('retraining', 'data-quality'),
          {
            variables: {},
            statements: [
              { actions: ['sagemaker:DescribeTrainingJob'], resources: [names.arn('sagemaker', 'training-job/*')] },
              {
                actions: ['sagemaker:DescribeProcessingJob'],
                resources: [names.arn('sagemaker', 'processing-job/*')],
              },
            ],
          },
        ]
      : []),
  );
  new Schedule(scope, 'ReconcileSchedule', {
    names,
    schedule: environmentSchedule('reconcile'),
    targetArn: reconciler.lambda.functionArn,
    action: 'lambda:InvokeFunction',
  });
}

/** Roles of a peer, by the functions that they belong to. */
export function readersOf(config: Config, environment: Environment, functions: readonly string[]): PeerReader[] {
  const names = namesOf(config, environment);
  return functions.map((privilege) => ({ account: names.account, roleArn: names.roleArn(privilege) }));
}
