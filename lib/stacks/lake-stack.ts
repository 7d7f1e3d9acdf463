import { Duration, Stack, type StackProps } from 'aws-cdk-lib';
import { Rule } from 'aws-cdk-lib/aws-events';
import { SqsQueue } from 'aws-cdk-lib/aws-events-targets';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { ENGINE_FUNCTION_MB, FEATURES_DISK_MB, SCORE_DISK_MB } from '#domain/data/engine-limits.ts';
import type { DeployedModels } from '#domain/model/deployed.ts';
import { RAW_EVENTS } from '#domain/prediction/request-log.ts';
import { accessTo } from '#lib/constructs/access.ts';
import { RetainedTable } from '#lib/constructs/retained-table.ts';
import { GatehouseFunction, type SharedFunction, type StackContext } from '#lib/constructs/function.ts';
import { PeerBucket } from '#lib/constructs/peer-bucket.ts';

/** Ten partitions a call, each read and checked as features would read it: half a minute at most for the largest. */
const ADMISSION_SECONDS = 300;

/** The environment's data: what producers wrote, what was admitted of it, and what is made from that. */
export class LakeStack extends Stack {
  readonly features: SharedFunction;
  readonly score: SharedFunction;

  constructor(
    scope: Construct,
    id: string,
    props: StackProps & StackContext & { readonly trains: boolean; readonly deployed: DeployedModels },
  ) {
    super(scope, id, props);
    const { names } = props;
    const access = accessTo(names);
    new RetainedTable(this, 'Catalogue', { tableName: names.catalogueTable });
    const landing = new PeerBucket(this, 'Landing', { bucketName: names.landingBucket, sendsEvents: true });
    new PeerBucket(this, 'Lake', {
      bucketName: names.lakeBucket,
      expiring: props.trains ? [] : expiringRequests(props.deployed),
    });

    const arrivals = new Queue(this, 'Arrivals', {
      queueName: names.name('admission'),
      visibilityTimeout: Duration.seconds(6 * ADMISSION_SECONDS),
      retentionPeriod: Duration.days(14),
      enforceSSL: true,
      deadLetterQueue: {
        maxReceiveCount: 4,
        queue: new Queue(this, 'ArrivalsDeadLetters', {
          queueName: names.name('admission-dead-letters'),
          retentionPeriod: Duration.days(14),
          enforceSSL: true,
        }),
      },
    });
    new Rule(this, 'ObjectCreatedOrDeleted', {
      ruleName: names.name('object-created-or-deleted'),
      eventPattern: {
        source: ['aws.s3'],
        detailType: ['Object Created', 'Object Deleted'],
        detail: { bucket: { name: [landing.bucket.bucketName] } },
      },
      targets: [new SqsQueue(arrivals)],
    });
    const admission = new GatehouseFunction(this, 'Admission', {
      ...props,
      privilege: 'admission',
      memoryMb: ENGINE_FUNCTION_MB,
      diskMb: FEATURES_DISK_MB,
      timeoutSeconds: ADMISSION_SECONDS,
    }).bind(
      access.environment(),
      access.writesLedger('FAULT', 'REFUSAL'),
      access.writesCatalogue('PARTITION', 'ADMISSION'),
      access.readsLanding(),
      access.readsArtifacts(),
      access.putsEvents(),
    );
    admission.lambda.addEventSource(
      new SqsEventSource(arrivals, { batchSize: 10, reportBatchItemFailures: true, maxConcurrency: 2 }),
    );

    const features = new GatehouseFunction(this, 'Features', {
      ...props,
      privilege: 'features',
      memoryMb: ENGINE_FUNCTION_MB,
      diskMb: FEATURES_DISK_MB,
      timeoutSeconds: 900,
    }).bind(
      access.readsLanding(),
      access.readsArtifacts(),
      access.writesLake(),
      ...(props.trains ? [access.writesTrainingRows()] : []),
    );
    const score = new GatehouseFunction(this, 'Score', {
      ...props,
      privilege: 'score',
      memoryMb: ENGINE_FUNCTION_MB,
      diskMb: SCORE_DISK_MB,
      timeoutSeconds: 900,
    }).bind(
      props.trains ? access.writesArtifacts() : access.readsArtifacts(),
      access.writesLake(),
      // Golden requests hold raw events.
      ...(props.trains ? [access.readsTrainingOutput(), access.readsLanding()] : []),
    );
    this.features = features.share();
    this.score = score.share();
  }
}

/** For how long raw events are kept of models that answer requests no more. */
const REMOVED_MODEL_DAYS = 30;

/**
 * How long raw events of requests are kept: for each model as long as it says, and for as long as the longest where a model is there no
 * more. Of two rules the shorter one counts.
 */
function expiringRequests({ models }: DeployedModels): readonly { readonly prefix: string; readonly days: number }[] {
  const online = models.flatMap(({ definition: { name, online: own } }) =>
    own === undefined ? [] : [{ prefix: `${RAW_EVENTS}${name}/`, days: Math.max(1, own.retentionDays) }],
  );
  return [...online, { prefix: RAW_EVENTS, days: Math.max(REMOVED_MODEL_DAYS, ...online.map(({ days }) => days)) }];
}
