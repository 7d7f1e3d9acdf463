import { Stack, type StackProps } from 'aws-cdk-lib';
import { Rule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import type { DeployedModels } from '#domain/model/deployed.ts';
import { accessTo, readsPeers } from '#lib/constructs/access.ts';
import { AslStateMachine } from '#lib/constructs/asl-state-machine.ts';
import { ExecutionRecorder } from '#lib/constructs/execution-recorder.ts';
import { GatehouseFunction, type SharedFunction, type Surroundings } from '#lib/constructs/function.ts';
import { PeerBucket } from '#lib/constructs/peer-bucket.ts';
import { Schedule } from '#lib/constructs/schedule.ts';
import type { Config } from '#model/config.ts';
import { namesOf } from '#model/names.ts';

export interface TrainingStackProps extends StackProps, Surroundings {
  readonly config: Config;
  readonly deployed: DeployedModels;
  readonly features: SharedFunction;
  readonly score: SharedFunction;
}

/** Dev's machines: retraining on a schedule, and the validation that offers, rejects or holds. */
export class TrainingStack extends Stack {
  constructor(scope: Construct, id: string, props: TrainingStackProps) {
    super(scope, id, props);
    const { names, config } = props;
    const access = accessTo(names);
    new PeerBucket(this, 'Training', { bucketName: names.trainingBucket, dropReplacedAfterDays: 30 });
    const trainer = this.trainerRole(props);
    const jobs = names.arn('sagemaker', 'training-job/*');

    const training = new GatehouseFunction(this, 'Function', {
      ...props,
      privilege: 'training',
      memoryMb: 1024,
      timeoutSeconds: 120,
    }).bind(
      access.environment(),
      access.writesLedger('RUN', 'TASK'),
      access.readsCatalogue(),
      access.writesLake(),
      access.writesArtifacts(),
      {
        variables: { TRAINING_BUCKET: names.trainingBucket, TRAINING_ROLE_ARN: trainer.roleArn },
        statements: [
          { actions: ['sagemaker:CreateTrainingJob', 'sagemaker:DescribeTrainingJob'], resources: [jobs] },
          {
            actions: ['iam:PassRole'],
            resources: [trainer.roleArn],
            conditions: { StringEquals: { 'iam:PassedToService': 'sagemaker.amazonaws.com' } },
          },
        ],
      },
    );
    const events = new GatehouseFunction(this, 'Events', {
      ...props,
      privilege: 'training-events',
      isAsynchronous: true,
    }).bind(access.writesLedgerUnaudited('TASK'), access.returnsTokens('retraining'), {
      variables: {},
      statements: [{ actions: ['sagemaker:DescribeTrainingJob'], resources: [jobs] }],
    });
    new Rule(this, 'JobChanged', {
      ruleName: names.name('training-job-changed'),
      eventPattern: {
        source: ['aws.sagemaker'],
        detailType: ['SageMaker Training Job State Change'],
        detail: { TrainingJobStatus: ['Completed', 'Failed', 'Stopped'] },
      },
      targets: [new LambdaFunction(events.lambda)],
    });
    const registration = new GatehouseFunction(this, 'Registration', { ...props, privilege: 'registration' }).bind(
      access.environment(),
      access.writesLedger('REGISTRATION', 'VERSION'),
      access.readsArtifacts(),
    );
    const validation = new GatehouseFunction(this, 'Validation', {
      ...props,
      privilege: 'validation',
      memoryMb: 1024,
      timeoutSeconds: 120,
    }).bind(
      access.environment(),
      access.writesLedger('RUN', 'CURSOR'),
      access.readsCatalogue(),
      access.writesLake(),
      access.readsArtifacts(),
      readsPeers('PEER_BUCKETS', { prod: namesOf(config, 'prod').publishedBucket }, ['pointers/', 'keys/']),
    );

    new AslStateMachine(this, 'ValidationMachine', {
      ...props,
      machine: 'validation',
      bindings: {
        ValidationFunction: { function: validation },
        FeaturesFunction: { function: props.features },
        ScoreFunction: { function: props.score },
      },
    });
    const retraining = new AslStateMachine(this, 'RetrainingMachine', {
      ...props,
      machine: 'retraining',
      bindings: {
        TrainingFunction: { function: training },
        FeaturesFunction: { function: props.features },
        ScoreFunction: { function: props.score },
        RegistrationFunction: { function: registration },
        ValidationMachine: { machine: 'validation' },
      },
    });
    for (const { definition } of props.deployed.models) {
      new Schedule(this, `Retrain-${definition.name}`, {
        name: names.name(`retrain-${definition.name}`),
        expression: definition.schedule.cron,
        timezone: definition.schedule.timezone,
        targetArn: retraining.stateMachine.stateMachineArn,
        action: 'states:StartExecution',
        input: { model: definition.name, trigger: 'schedule', asOf: '<aws.scheduler.scheduled-time>' },
      });
    }
    new ExecutionRecorder(this, 'Recorder', { ...props, machines: ['retraining', 'validation'] });
  }

  /** The role of training jobs: reads exported rows and writes beside them; neither the lake nor the holdout is in its reach. */
  private trainerRole({ names }: TrainingStackProps): Role {
    const role = new Role(this, 'TrainerRole', {
      roleName: names.name('trainer'),
      assumedBy: new ServicePrincipal('sagemaker.amazonaws.com'),
    });
    const bucket = `arn:aws:s3:::${names.trainingBucket}`;
    role.addToPolicy(new PolicyStatement({ actions: ['s3:GetObject'], resources: [`${bucket}/runs/*/train/*`] }));
    role.addToPolicy(new PolicyStatement({ actions: ['s3:PutObject'], resources: [`${bucket}/runs/*/output/*`] }));
    role.addToPolicy(
      new PolicyStatement({
        actions: ['s3:ListBucket'],
        resources: [bucket],
        conditions: { StringLike: { 's3:prefix': ['runs/*'] } },
      }),
    );
    role.addToPolicy(new PolicyStatement({ actions: ['ecr:GetAuthorizationToken'], resources: ['*'] }));
    role.addToPolicy(
      new PolicyStatement({
        actions: ['ecr:BatchCheckLayerAvailability', 'ecr:GetDownloadUrlForLayer', 'ecr:BatchGetImage'],
        resources: [names.arn('ecr', 'repository/gatehouse/*')],
      }),
    );
    role.addToPolicy(
      new PolicyStatement({
        actions: ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents', 'logs:DescribeLogStreams'],
        resources: [
          names.arn('logs', 'log-group:/aws/sagemaker/TrainingJobs'),
          names.arn('logs', 'log-group:/aws/sagemaker/TrainingJobs:*'),
        ],
      }),
    );
    return role;
  }
}
