import { MACHINES, sourcesOf } from '#domain/environment/environment.ts';
import { Stack, type StackProps } from 'aws-cdk-lib';
import { EventBus, EventField, Rule, RuleTargetInput } from 'aws-cdk-lib/aws-events';
import { SfnStateMachine } from 'aws-cdk-lib/aws-events-targets';
import type { Construct } from 'constructs';
import type { DeployedModels } from '#domain/model/deployed.ts';
import { modelSchedule } from '#domain/supervision/schedules.ts';
import { accessTo, readsPeers } from '#lib/constructs/access.ts';
import { AslStateMachine } from '#lib/constructs/asl-state-machine.ts';
import { DriftAlarms } from '#lib/constructs/drift-alarms.ts';
import { ExecutionRecorder } from '#lib/constructs/execution-recorder.ts';
import { GatehouseFunction, type SharedFunction, type StackContext } from '#lib/constructs/function.ts';
import { ReadinessAlarm } from '#lib/constructs/readiness-alarm.ts';
import { Schedule } from '#lib/constructs/schedule.ts';
import type { Config } from '#model/config.ts';
import { namesOf } from '#model/names.ts';

export interface ReleaseStackProps extends StackProps, StackContext {
  readonly config: Config;
  readonly environment: 'staging' | 'prod';
  readonly deployed: DeployedModels;
  readonly features: SharedFunction;
  readonly score: SharedFunction;
  readonly prober: SharedFunction;
  /** What tests endpoints, where releases are tested. */
  readonly servingTests: SharedFunction | undefined;
}

/** What a rollback's record says, as the machine that verifies it takes it. */
const VERIFIED = {
  model: EventField.fromPath('$.detail.model'),
  rollback: EventField.fromPath('$.detail.details.rollback'),
  target: {
    release: EventField.fromPath('$.detail.release'),
    from: EventField.fromPath('$.detail.details.from'),
    epoch: EventField.fromPath('$.detail.details.epoch'),
    at: EventField.fromPath('$.detail.at'),
  },
};

/** The machines that promoted a release and roll it back, and the few functions that may. */
export class ReleaseStack extends Stack {
  constructor(scope: Construct, id: string, props: ReleaseStackProps) {
    super(scope, id, props);
    const { names, config } = props;
    const access = accessTo(names);
    const sources = sourcesOf(props.environment).map((source) => [source, namesOf(config, source).artifactBucket]);
    const release = new GatehouseFunction(this, 'Release', {
      ...props,
      privilege: 'release',
      memoryMb: 1024,
      timeoutSeconds: 300,
    }).bind(
      access.environment(),
      access.writesLedger(
        'PROMOTION',
        'LOCK',
        'POLICY',
        'TASK',
        'INCIDENT',
        'RUN',
        'AGGREGATES',
        'READINESS',
        'SCHEDULE',
      ),
      access.readsCatalogue(),
      access.writesLake(),
      access.writesArtifacts(),
      access.readsRetention(),
      access.describesKeys(),
      access.returnsTokens('promotion'),
      readsPeers('SOURCE_BUCKETS', Object.fromEntries(sources), ['objects/']),
    );
    const gates = new GatehouseFunction(this, 'Gates', { ...props, privilege: 'gates', timeoutSeconds: 120 }).bind(
      access.environment(),
      access.writesLedger('EVIDENCE', 'RUN'),
      access.readsLake(),
    );
    const pointer = new GatehouseFunction(this, 'Pointer', { ...props, privilege: 'pointer', timeoutSeconds: 30 }).bind(
      access.environment(),
      access.writesLedger('POINTER', 'PROMOTION', 'LOCK', 'APPROVAL', 'QUARANTINE'),
    );

    new AslStateMachine(this, 'PromotionMachine', {
      ...props,
      machine: 'promotion',
      bindings: {
        ReleaseFunction: { function: release },
        GatesFunction: { function: gates },
        PointerFunction: { function: pointer },
        FeaturesFunction: { function: props.features },
        ScoreFunction: { function: props.score },
        RollbackMachine: { machine: 'rollback' },
        CanaryMachine: { machine: 'canary' },
      },
    });
    new AslStateMachine(this, 'CanaryMachine', {
      ...props,
      machine: 'canary',
      bindings: {
        ReleaseFunction: { function: release },
        GatesFunction: { function: gates },
        PointerFunction: { function: pointer },
        FeaturesFunction: { function: props.features },
        ScoreFunction: { function: props.score },
      },
    });
    new AslStateMachine(this, 'ConfirmationMachine', {
      ...props,
      machine: 'confirmation',
      bindings: { ReleaseFunction: { function: release }, PointerFunction: { function: pointer } },
    });
    new AslStateMachine(this, 'RollbackMachine', {
      ...props,
      machine: 'rollback',
      bindings: {
        ReleaseFunction: { function: release },
        PointerFunction: { function: pointer },
        BatchInferenceMachine: { machine: 'batch-inference' },
      },
    });
    const verification = new AslStateMachine(this, 'RollbackVerificationMachine', {
      ...props,
      machine: 'rollback-verification',
      bindings: {
        ReleaseFunction: { function: release },
        FeaturesFunction: { function: props.features },
        ProberFunction: { function: props.prober },
      },
    });
    new Rule(this, 'RolledBack', {
      ruleName: names.name('rolled-back'),
      eventBus: EventBus.fromEventBusName(this, 'Bus', names.bus),
      eventPattern: { source: ['gatehouse'], detailType: ['RELEASE_ROLLED_BACK'] },
      targets: [new SfnStateMachine(verification.stateMachine, { input: RuleTargetInput.fromObject(VERIFIED) })],
    });
    const readiness = new AslStateMachine(this, 'RollbackReadinessMachine', {
      ...props,
      machine: 'rollback-readiness',
      bindings: {
        ReleaseFunction: { function: release },
        FeaturesFunction: { function: props.features },
        ScoreFunction: { function: props.score },
      },
    });
    new Rule(this, 'PointerMoved', {
      ruleName: names.name('pointer-moved'),
      eventBus: EventBus.fromEventBusName(this, 'ReadinessBus', names.bus),
      eventPattern: {
        source: ['gatehouse'],
        detailType: ['RELEASE_PROMOTED', 'RELEASE_ROLLED_BACK', 'RELEASE_CONFIRMED'],
      },
      targets: [
        new SfnStateMachine(readiness.stateMachine, {
          input: RuleTargetInput.fromObject({ model: EventField.fromPath('$.detail.model') }),
        }),
      ],
    });
    if (props.servingTests !== undefined) this.testing(props, release, props.servingTests);
    const probation = new AslStateMachine(this, 'ProbationMachine', {
      ...props,
      machine: 'probation',
      bindings: {
        ReleaseFunction: { function: release },
        GatesFunction: { function: gates },
        FeaturesFunction: { function: props.features },
        ScoreFunction: { function: props.score },
        ConfirmationMachine: { machine: 'confirmation' },
        RollbackMachine: { machine: 'rollback' },
      },
    });
    const drift = new AslStateMachine(this, 'DriftMachine', {
      ...props,
      machine: 'drift',
      bindings: {
        ReleaseFunction: { function: release },
        GatesFunction: { function: gates },
        FeaturesFunction: { function: props.features },
      },
    });
    for (const { definition, policy } of props.deployed.models) {
      new Schedule(this, `Review-${definition.name}`, {
        names,
        schedule: modelSchedule('review', definition),
        targetArn: probation.stateMachine.stateMachineArn,
        action: 'states:StartExecution',
        input: { model: definition.name, asOf: '<aws.scheduler.scheduled-time>' },
      });
      new Schedule(this, `Drift-${definition.name}`, {
        names,
        schedule: modelSchedule('drift', definition),
        targetArn: drift.stateMachine.stateMachineArn,
        action: 'states:StartExecution',
        input: { model: definition.name, asOf: '<aws.scheduler.scheduled-time>' },
      });
      new Schedule(this, `Readiness-${definition.name}`, {
        names,
        schedule: modelSchedule('readiness', definition),
        targetArn: readiness.stateMachine.stateMachineArn,
        action: 'states:StartExecution',
        input: { model: definition.name },
      });
      new ReadinessAlarm(this, `ReadinessAlarm-${definition.name}`, { names, model: definition.name });
      new DriftAlarms(this, `DriftAlarms-${definition.name}`, { names, model: definition.name, policy });
    }
    new ExecutionRecorder(this, 'Recorder', {
      ...props,
      machines: MACHINES[props.environment],
    });
  }
  /** Each promotion begins the tests of its release. By its record: what becomes of them is none of the promotion's faults. */
  private testing(props: ReleaseStackProps, release: GatehouseFunction, servingTests: SharedFunction): void {
    const { names } = props;
    const tests = new AslStateMachine(this, 'ReleaseTestsMachine', {
      ...props,
      machine: 'release-tests',
      bindings: {
        ReleaseFunction: { function: release },
        ScoreFunction: { function: props.score },
        ServingTestsFunction: { function: servingTests },
      },
    });
    new Rule(this, 'ReleasePromoted', {
      ruleName: names.name('release-promoted'),
      eventBus: EventBus.fromEventBusName(this, 'ReleaseTestsBus', names.bus),
      eventPattern: { source: ['gatehouse'], detailType: ['RELEASE_PROMOTED'] },
      targets: [
        new SfnStateMachine(tests.stateMachine, {
          input: RuleTargetInput.fromObject({
            model: EventField.fromPath('$.detail.model'),
            release: EventField.fromPath('$.detail.release'),
          }),
        }),
      ],
    });
  }
}
