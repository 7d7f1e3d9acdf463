import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import { Rule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import type { PolicyStatementProps } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { MACHINES } from '#domain/environment/environment.ts';
import { type DeployedModels, partsOf, partsOutput } from '#domain/model/deployed.ts';
import { modelSchedule } from '#domain/supervision/schedules.ts';
import { accessTo, readsPeers } from '#lib/constructs/access.ts';
import { AslStateMachine } from '#lib/constructs/asl-state-machine.ts';
import { ExecutionRecorder } from '#lib/constructs/execution-recorder.ts';
import { GatehouseFunction, type SharedFunction, type StackContext } from '#lib/constructs/function.ts';
import { jobRole } from '#lib/constructs/job-role.ts';
import { PeerBucket } from '#lib/constructs/peer-bucket.ts';
import { Schedule } from '#lib/constructs/schedule.ts';
import type { Config } from '#model/config.ts';
import { dataQualityImage } from '#model/data-quality-image.ts';
import { namesOf } from '#model/names.ts';

export interface TrainingStackProps extends StackProps, StackContext {
  readonly config: Config;
  readonly deployed: DeployedModels;
  readonly features: SharedFunction;
  readonly score: SharedFunction;
}

/** Dev's machines: retraining on a schedule, the check of data, and the validation that offers, rejects or holds. */
export class TrainingStack extends Stack {
  constructor(scope: Construct, id: string, props: TrainingStackProps) {
    super(scope, id, props);
    const { names } = props;
    // `run start` compares them with the files of whoever starts a run.
    for (const model of props.deployed.models)
      new CfnOutput(this, partsOutput(model.definition.name), { value: JSON.stringify(partsOf(model)) });
    new PeerBucket(this, 'Training', { bucketName: names.trainingBucket, dropReplacedAfterDays: 30 });
    const registration = new GatehouseFunction(this, 'Registration', { ...props, privilege: 'registration' }).bind(
      accessTo(names).environment(),
      accessTo(names).writesLedger('REGISTRATION', 'VERSION'),
      accessTo(names).readsArtifacts(),
    );
    jobEvents(this, props);
    validationMachine(this, props, registration);
    const checking = dataQualityMachine(this, props);
    const retraining = retrainingMachine(this, props, registration);
    schedules(this, props, { checking, retraining });
    new ExecutionRecorder(this, 'Recorder', { ...props, machines: MACHINES.dev });
  }
}

/** The names of SageMaker's jobs that an account runs. */
function jobsOf({ names }: TrainingStackProps): { readonly training: string; readonly processing: string } {
  return {
    training: names.arn('sagemaker', 'training-job/*'),
    processing: names.arn('sagemaker', 'processing-job/*'),
  };
}

/** What returns the token of a job that has ended. */
function jobEvents(scope: Construct, props: TrainingStackProps): void {
  const { names } = props;
  const access = accessTo(names);
  const jobs = jobsOf(props);
  const events = new GatehouseFunction(scope, 'Events', {
    ...props,
    privilege: 'training-events',
    isAsynchronous: true,
  }).bind(access.writesLedgerUnaudited('TASK'), access.returnsTokens('retraining', 'data-quality'), {
    variables: {},
    statements: [
      { actions: ['sagemaker:DescribeTrainingJob'], resources: [jobs.training] },
      { actions: ['sagemaker:DescribeProcessingJob'], resources: [jobs.processing] },
    ],
  });
  new Rule(scope, 'JobChanged', {
    ruleName: names.name('training-job-changed'),
    eventPattern: {
      source: ['aws.sagemaker'],
      detailType: ['SageMaker Training Job State Change'],
      detail: { TrainingJobStatus: ['Completed', 'Failed', 'Stopped'] },
    },
    targets: [new LambdaFunction(events.lambda)],
  });
  new Rule(scope, 'CheckChanged', {
    ruleName: names.name('processing-job-changed'),
    eventPattern: {
      source: ['aws.sagemaker'],
      detailType: ['SageMaker Processing Job State Change'],
      detail: { ProcessingJobStatus: ['Completed', 'Failed', 'Stopped'] },
    },
    targets: [new LambdaFunction(events.lambda)],
  });
}

function retrainingMachine(
  scope: Construct,
  props: TrainingStackProps,
  registration: GatehouseFunction,
): AslStateMachine {
  const { names } = props;
  const access = accessTo(names);
  const trainer = jobRole(scope, 'TrainerRole', {
    names,
    name: 'trainer',
    kind: 'TrainingJobs',
    reads: 'runs/*/train/*',
    writes: 'runs/*/output/*',
  });
  const training = new GatehouseFunction(scope, 'Function', {
    ...props,
    privilege: 'training',
    memoryMb: 1024,
    timeoutSeconds: 120,
  }).bind(
    access.environment(),
    access.writesLedger('RUN', 'TASK', 'SCHEDULE'),
    access.readsCatalogue(),
    access.writesLake(),
    access.writesArtifacts(),
    access.returnsTokens('retraining'),
    {
      variables: { TRAINING_BUCKET: names.trainingBucket, TRAINING_ROLE_ARN: trainer.roleArn },
      statements: [
        {
          actions: ['sagemaker:CreateTrainingJob', 'sagemaker:DescribeTrainingJob'],
          resources: [jobsOf(props).training],
        },
        passesRole(trainer.roleArn),
      ],
    },
  );
  return new AslStateMachine(scope, 'RetrainingMachine', {
    ...props,
    machine: 'retraining',
    bindings: {
      TrainingFunction: { function: training },
      FeaturesFunction: { function: props.features },
      ScoreFunction: { function: props.score },
      RegistrationFunction: { function: registration },
      ValidationMachine: { machine: 'validation' },
      DataQualityMachine: { machine: 'data-quality' },
    },
  });
}

function dataQualityMachine(scope: Construct, props: TrainingStackProps): AslStateMachine {
  const { names, config } = props;
  const access = accessTo(names);
  const checker = jobRole(scope, 'CheckerRole', {
    names,
    name: 'checker',
    kind: 'ProcessingJobs',
    reads: 'runs/*/check/input/*',
    writes: 'runs/*/check/output/*',
  });
  const dataQuality = new GatehouseFunction(scope, 'DataQuality', {
    ...props,
    privilege: 'data-quality',
    memoryMb: 1024,
    timeoutSeconds: 120,
  }).bind(
    access.environment(),
    access.writesLedger('DATA', 'TASK', 'SCHEDULE'),
    access.readsCatalogue(),
    access.writesLake(),
    access.readsArtifacts(),
    access.readsCheckResults(),
    access.returnsTokens('data-quality'),
    {
      variables: { CHECKER_ROLE_ARN: checker.roleArn, CHECKER_IMAGE: dataQualityImage(config) },
      statements: [
        {
          actions: ['sagemaker:CreateProcessingJob', 'sagemaker:DescribeProcessingJob'],
          resources: [jobsOf(props).processing],
        },
        passesRole(checker.roleArn),
      ],
    },
  );
  return new AslStateMachine(scope, 'DataQualityMachine', {
    ...props,
    machine: 'data-quality',
    bindings: { DataQualityFunction: { function: dataQuality }, FeaturesFunction: { function: props.features } },
  });
}

function validationMachine(scope: Construct, props: TrainingStackProps, registration: GatehouseFunction): void {
  const { names, config } = props;
  const access = accessTo(names);
  const validation = new GatehouseFunction(scope, 'Validation', {
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
  const report = new GatehouseFunction(scope, 'Report', {
    ...props,
    privilege: 'report',
    memoryMb: 1024,
    timeoutSeconds: 120,
  }).bind(access.readsDocuments(), access.writesArtifacts());
  new AslStateMachine(scope, 'ValidationMachine', {
    ...props,
    machine: 'validation',
    bindings: {
      ValidationFunction: { function: validation },
      FeaturesFunction: { function: props.features },
      ScoreFunction: { function: props.score },
      ReportFunction: { function: report },
      RegistrationFunction: { function: registration },
    },
  });
}

/** Retraining by each model's own schedule, and the check of what has arrived. */
function schedules(
  scope: Construct,
  { names, deployed }: TrainingStackProps,
  { checking, retraining }: { readonly checking: AslStateMachine; readonly retraining: AslStateMachine },
): void {
  for (const { definition } of deployed.models) {
    new Schedule(scope, `Retrain-${definition.name}`, {
      names,
      schedule: modelSchedule('retrain', definition),
      targetArn: retraining.stateMachine.stateMachineArn,
      action: 'states:StartExecution',
      input: { model: definition.name, trigger: 'schedule', asOf: '<aws.scheduler.scheduled-time>' },
    });
    // By the clock and not by the event: what has arrived is looked at together, whatever got lost.
    new Schedule(scope, `Check-${definition.name}`, {
      names,
      schedule: modelSchedule('check', definition),
      targetArn: checking.stateMachine.stateMachineArn,
      action: 'states:StartExecution',
      input: { model: definition.name, training: null },
    });
  }
}

function passesRole(roleArn: string): PolicyStatementProps {
  return {
    actions: ['iam:PassRole'],
    resources: [roleArn],
    conditions: { StringEquals: { 'iam:PassedToService': 'sagemaker.amazonaws.com' } },
  };
}
