import { Stack, type StackProps } from 'aws-cdk-lib';
import { EventBus, EventField, Rule, RuleTargetInput } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import type { Construct } from 'constructs';
import type { DeployedModels } from '#domain/model/deployed.ts';
import { accessTo } from '#lib/constructs/access.ts';
import { AslStateMachine } from '#lib/constructs/asl-state-machine.ts';
import { RetainedTable } from '#lib/constructs/retained-table.ts';
import { GatehouseFunction, type SharedFunction, type StackContext } from '#lib/constructs/function.ts';
import { OnlineEndpoint } from '#lib/constructs/online-endpoint.ts';
import { type Config, endpointConcurrency } from '#model/config.ts';
import { RequestLogPipeline } from '#lib/constructs/request-log.ts';
import { Schedule } from '#lib/constructs/schedule.ts';

export interface InferenceStackProps extends StackProps, StackContext {
  readonly config: Config;
  readonly deployed: DeployedModels;
  readonly features: SharedFunction;
  readonly score: SharedFunction;
}

/** Batch inference: keeps the store of predictions what the pointer and the data say. */
export class InferenceStack extends Stack {
  constructor(scope: Construct, id: string, props: InferenceStackProps) {
    super(scope, id, props);
    const { names } = props;
    const access = accessTo(names);
    const store = new GatehouseFunction(this, 'PredictionStoreFunction', {
      ...props,
      privilege: 'prediction-store',
      memoryMb: 1024,
      timeoutSeconds: 300,
      isAsynchronous: true,
    }).bind(
      access.environment(),
      access.writesLedger('FENCE', 'RUN', 'REFUSAL', 'AGGREGATES'),
      access.writesCatalogue('PREDICTION'),
      access.writesLake(),
      access.readsArtifacts(),
      access.starts('batch-inference'),
    );
    new RetainedTable(this, 'Predictions', { tableName: names.predictionTable, timeToLiveAttribute: 'expiresAt' });
    const rows = new GatehouseFunction(this, 'Rows', {
      ...props,
      privilege: 'rows',
      memoryMb: 1024,
      timeoutSeconds: 900,
    }).bind(access.publishesRows(), access.readsLake(), access.readsArtifacts());
    new AslStateMachine(this, 'BatchInferenceMachine', {
      ...props,
      machine: 'batch-inference',
      bindings: {
        PredictionStoreFunction: { function: store },
        FeaturesFunction: { function: props.features },
        ScoreFunction: { function: props.score },
        RowsFunction: { function: rows },
      },
    });
    new Rule(this, 'DataOrPointerChanged', {
      ruleName: names.name('data-or-pointer-changed'),
      eventBus: EventBus.fromEventBusName(this, 'Bus', names.bus),
      eventPattern: {
        source: ['gatehouse'],
        detailType: ['PARTITION_ADMITTED', 'RELEASE_PROMOTED', 'RELEASE_ROLLED_BACK'],
      },
      targets: [
        new LambdaFunction(store.lambda, {
          event: RuleTargetInput.fromObject({
            task: 'Request reconciliation',
            input: { model: EventField.fromPath('$.detail.model'), trigger: EventField.fromPath('$.detail-type') },
          }),
        }),
      ],
    });
    const online = props.deployed.models.flatMap(({ definition }) =>
      definition.online === undefined ? [] : [{ model: definition.name, ...definition.online }],
    );
    if (online.length > 0) {
      const requestLog = new RequestLogPipeline(this, 'RequestLog', props);
      const reservedConcurrency = endpointConcurrency(props.config, names.environment, online.length);
      for (const { model, retentionDays } of online)
        new OnlineEndpoint(this, `Endpoint-${model}`, {
          ...props,
          model,
          retentionDays,
          requestLog,
          reservedConcurrency,
        });
    }
    for (const { definition } of props.deployed.models) {
      new Schedule(this, `Daily-${definition.name}`, {
        name: names.name(`predict-${definition.name}`),
        expression: 'rate(1 day)',
        targetArn: store.lambda.functionArn,
        action: 'lambda:InvokeFunction',
        input: { task: 'Request reconciliation', input: { model: definition.name, trigger: 'schedule' } },
      });
      new Schedule(this, `ServiceLevel-${definition.name}`, {
        name: names.name(`service-level-${definition.name}`),
        expression: 'rate(1 hour)',
        targetArn: store.lambda.functionArn,
        action: 'lambda:InvokeFunction',
        input: { task: 'Check service level', input: { model: definition.name } },
      });
    }
  }
}
