import { Stack, type StackProps } from 'aws-cdk-lib';
import { EventBus, EventField, Rule, RuleTargetInput } from 'aws-cdk-lib/aws-events';
import { LambdaFunction as FunctionTarget } from 'aws-cdk-lib/aws-events-targets';
import { CfnAlias, Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import type { DeployedModels } from '#domain/model/deployed.ts';
import { environmentSchedule, modelSchedule } from '#domain/supervision/schedules.ts';
import { accessTo } from '#lib/constructs/access.ts';
import { AslStateMachine } from '#lib/constructs/asl-state-machine.ts';
import { EndpointAlarms, endpointPrefix } from '#lib/constructs/endpoint-alarms.ts';
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
  /** What sends a golden request, for the machine that verifies rollbacks. */
  readonly prober: SharedFunction;
  /** What tests endpoints and runs load on them; in staging. */
  readonly servingTests: SharedFunction | undefined;

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
      access.writesLedger('FENCE', 'RUN', 'REFUSAL', 'AGGREGATES', 'SCHEDULE'),
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
        new FunctionTarget(store.lambda, {
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
    const endpoints: OnlineEndpoint[] = [];
    if (online.length > 0) {
      const requestLog = new RequestLogPipeline(this, 'RequestLog', props);
      const reservedConcurrency = endpointConcurrency(props.config, names.environment, online.length);
      endpoints.push(
        ...online.map(
          ({ model, retentionDays }) =>
            new OnlineEndpoint(this, `Endpoint-${model}`, {
              ...props,
              model,
              retentionDays,
              requestLog,
              reservedConcurrency,
            }),
        ),
      );
    }
    this.prober = this.probing(props, endpoints);
    this.servingTests = names.environment === 'staging' ? this.testing(props, endpoints) : undefined;
    this.alarming(props, endpoints);
    for (const { definition } of props.deployed.models) {
      new Schedule(this, `Daily-${definition.name}`, {
        names,
        schedule: modelSchedule('predict', definition),
        targetArn: store.lambda.functionArn,
        action: 'lambda:InvokeFunction',
        input: { task: 'Request reconciliation', input: { model: definition.name, trigger: 'schedule' } },
      });
      new Schedule(this, `ServiceLevel-${definition.name}`, {
        names,
        schedule: modelSchedule('service-level', definition),
        targetArn: store.lambda.functionArn,
        action: 'lambda:InvokeFunction',
        input: { task: 'Check service level', input: { model: definition.name } },
      });
    }
  }

  /** What sends golden requests: each minute to every endpoint, and when a rollback is verified. */
  private probing(props: InferenceStackProps, endpoints: readonly OnlineEndpoint[]): SharedFunction {
    const { names } = props;
    const access = accessTo(names);
    const urls = Object.fromEntries(endpoints.map(({ model, api }) => [model, api.apiEndpoint]));
    const prober = new GatehouseFunction(this, 'Prober', {
      ...props,
      privilege: 'prober',
      timeoutSeconds: 60,
      isAsynchronous: true,
    }).bind(access.environment(), access.writesLedgerUnaudited('SCHEDULE'), access.readsArtifacts(), {
      variables: { ENDPOINT_URLS: this.toJsonString(urls) },
      statements: endpoints.map(({ model, api }) => ({
        actions: ['execute-api:Invoke'],
        resources: [names.arn('execute-api', `${api.apiId}/*/POST/v2/models/${model}/infer`)],
      })),
    });
    if (endpoints.length > 0)
      new Schedule(this, 'Probes', {
        names,
        schedule: environmentSchedule('probes'),
        targetArn: prober.lambda.functionArn,
        action: 'lambda:InvokeFunction',
        input: { task: 'Probe endpoints', input: {} },
      });
    return prober.share();
  }

  /** What tests endpoints: as a consumer, and with load. */
  private testing(props: InferenceStackProps, endpoints: readonly OnlineEndpoint[]): SharedFunction {
    const { names } = props;
    const access = accessTo(names);
    const urls = Object.fromEntries(endpoints.map(({ model, api }) => [model, api.apiEndpoint]));
    return new GatehouseFunction(this, 'ServingTests', {
      ...props,
      privilege: 'serving-tests',
      // A run of load takes up to ten minutes; a function's share of a processor is that of its memory.
      memoryMb: 1769,
      timeoutSeconds: 900,
    })
      .bind(access.environment(), access.readsLedger(), access.readsArtifacts(), access.writesDocuments(), {
        variables: { ENDPOINT_URLS: this.toJsonString(urls) },
        statements: endpoints.map(({ model, api }) => ({
          actions: ['execute-api:Invoke'],
          resources: ['POST/v2/models/*/infer', 'GET/v2/models/*', 'GET/v2/models/*/ready'].map((path) =>
            names.arn('execute-api', `${api.apiId}/*/${path.replace('models/*', `models/${model}`)}`),
          ),
        })),
      })
      .share();
  }

  /** The alarms of all endpoints, and the function that they wake. */
  private alarming(props: InferenceStackProps, endpoints: readonly OnlineEndpoint[]): void {
    const { names } = props;
    const access = accessTo(names);
    const apis = Object.fromEntries(endpoints.map(({ model, api }) => [model, api.apiId]));
    if (endpoints.length === 0) return;
    const judge = new GatehouseFunction(this, 'Alarms', {
      ...props,
      privilege: 'alarms',
      timeoutSeconds: 60,
      isAsynchronous: true,
    }).bind(
      access.environment(),
      access.writesLedger('ALARM', 'SCHEDULE'),
      access.starts('rollback'),
      access.readsAlarms(),
      {
        variables: { ENDPOINT_APIS: this.toJsonString(apis), NAME_PREFIX: endpointPrefix(names) },
        statements: [
          {
            actions: ['states:DescribeExecution'],
            resources: [names.arn('states', `execution:${names.name('rollback')}:*`)],
          },
        ],
      },
    );
    const alias = new CfnAlias(this, 'AlarmsAlias', {
      name: 'live',
      functionName: judge.lambda.functionName,
      functionVersion: judge.version.version,
    });
    const trigger = LambdaFunction.fromFunctionAttributes(this, 'AlarmsLive', {
      functionArn: alias.ref,
      sameEnvironment: true,
    });
    for (const { definition, policy } of props.deployed.models) {
      const endpoint = endpoints.find(({ model }) => model === definition.name);
      if (endpoint === undefined || policy.serving === undefined) continue;
      const { model } = endpoint;
      const { apiId: api } = endpoint.api;
      new EndpointAlarms(this, `Alarms-${model}`, { names, model, api, rule: policy.serving, trigger });
    }
    new Schedule(this, 'Supervision', {
      names,
      schedule: environmentSchedule('alarms-supervised'),
      targetArn: judge.lambda.functionArn,
      action: 'lambda:InvokeFunction',
      input: { task: 'Supervise alarms', input: {} },
    });
  }
}
