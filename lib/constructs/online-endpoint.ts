import { CfnOutput } from 'aws-cdk-lib';
import { CfnStage, HttpApi, HttpMethod, HttpStage } from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpIamAuthorizer } from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { CfnAlias, Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { endpointOutput } from '#domain/model/deployed.ts';
import { ENDPOINT_DISK_MB, ENDPOINT_FUNCTION_MB } from '#domain/data/engine-limits.ts';
import type { CalledArm } from '#domain/promotion/traffic.ts';
import { type Access, accessTo } from './access.ts';
import { GatehouseFunction, type StackContext } from './function.ts';
import type { RequestLogPipeline } from './request-log.ts';

export interface OnlineEndpointProps extends StackContext {
  readonly model: string;
  /** Days that raw events of requests are kept. */
  readonly retentionDays: number;
  readonly requestLog: RequestLogPipeline;
  /** Concurrent executions that the endpoint reserves; undefined where nothing can be reserved. */
  readonly reservedConcurrency: number | undefined;
}

/** Requests a second before API Gateway answers 429. The account's concurrency, which all its functions share, is a limit besides. */
const THROTTLE = { rateLimit: 200, burstLimit: 100 };

/**
 * The endpoint of one model: an HTTP API whose calls are signed (IAM), and a function of its own behind an alias, so that
 * AWS's metrics are those of one model. It reads what the pointer names, and writes its request log, mostly as lines of its own log. Two more
 * functions answer for the candidate and for the control arm while the traffic is divided: of its size, and deployed with it.
 */
export class OnlineEndpoint extends Construct {
  readonly model: string;
  readonly api: HttpApi;

  constructor(scope: Construct, id: string, props: OnlineEndpointProps) {
    super(scope, id);
    const { names, model } = props;
    const access = accessTo(names);
    const served = new GatehouseFunction(this, 'Function', {
      ...props,
      ...SIZE,
      privilege: 'endpoint',
      name: `endpoint-${model}`,
      // Its lines hold raw events, encrypted: they are not kept for longer than those in the lake.
      logDays: logDaysFor(props),
    }).bind(
      access.environment(),
      access.readsLedger(),
      access.readsDailyAggregates(model),
      access.readsArtifacts(),
      access.putsLongRequests(model),
      props.requestLog.encrypts(),
      this.calls('candidate', this.arm('candidate', props)),
      this.calls('control', this.arm('control', props)),
      { variables: { MODEL: model, RETENTION_DAYS: String(props.retentionDays) }, statements: [] },
    );
    props.requestLog.follow(served, model);
    // By reference, so that what may call the alias is made after it.
    const alias = new CfnAlias(this, 'Alias', {
      name: 'live',
      functionName: served.lambda.functionName,
      functionVersion: served.version.version,
    });
    const live = LambdaFunction.fromFunctionAttributes(this, 'Live', { functionArn: alias.ref, sameEnvironment: true });
    const api = new HttpApi(this, 'Api', {
      apiName: names.name(`endpoint-${model}`),
      createDefaultStage: false,
      defaultAuthorizer: new HttpIamAuthorizer(),
    });
    const integration = new HttpLambdaIntegration('Integration', live);
    for (const path of ['/v2', '/v2/{proxy+}'])
      api.addRoutes({ path, methods: [HttpMethod.GET, HttpMethod.POST], integration });
    const stage = new HttpStage(this, 'Stage', {
      httpApi: api,
      stageName: '$default',
      autoDeploy: true,
      throttle: THROTTLE,
    });
    // Metrics by route: health checks are no predictions.
    if (stage.node.defaultChild instanceof CfnStage)
      stage.node.defaultChild.addPropertyOverride('DefaultRouteSettings.DetailedMetricsEnabled', true);
    this.model = model;
    this.api = api;
    new CfnOutput(this, 'Url', { value: api.apiEndpoint }).overrideLogicalId(endpointOutput(model));
  }

  /**
   * The function of an arm, behind an alias of its own. It reads what the endpoint reads, and writes nothing. Its executions are beside the endpoint's,
   * which waits for it: a divided request takes two of what the account has. It reserves none of them: it is deployed before the endpoint, which has
   * reserved all that can be, and AWS refuses more; while no canary runs its part would be idle. Where none is left it is throttled, which is a failed
   * arm: the champion answers.
   */
  private arm(arm: CalledArm, props: OnlineEndpointProps): CfnAlias {
    const { names, model } = props;
    const access = accessTo(names);
    const id = arm === 'candidate' ? 'Candidate' : 'Control';
    const made = new GatehouseFunction(this, id, {
      ...props,
      ...SIZE,
      privilege: 'arm',
      name: `arm-${arm}-${model}`,
      reservedConcurrency: undefined,
    }).bind(access.readsLedger(), access.readsDailyAggregates(model), access.readsArtifacts(), {
      variables: { MODEL: model, ARM: arm },
      statements: [],
    });
    return new CfnAlias(this, `${id}Alias`, {
      name: 'live',
      functionName: made.lambda.functionName,
      functionVersion: made.version.version,
    });
  }

  /** Calling the function of an arm; by reference, so that the endpoint is deployed after it. */
  private calls(arm: CalledArm, { ref }: CfnAlias): Access {
    return {
      variables: { [arm === 'candidate' ? 'ARM_CANDIDATE' : 'ARM_CONTROL']: ref },
      statements: [{ actions: ['lambda:InvokeFunction'], resources: [ref] }],
    };
  }
}

/** What the functions of an endpoint have alike, so that arms can be compared. An HTTP API waits for thirty seconds. */
const SIZE = { memoryMb: ENDPOINT_FUNCTION_MB, diskMb: ENDPOINT_DISK_MB, timeoutSeconds: 29 } as const;

/** Days for which CloudWatch can keep logs, of those below a month and of those that the configuration may say. */
const LOG_DAYS = [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731] as const;

/** The retention of an endpoint's log: that of all logs, unless raw events in it have to go sooner. */
function logDaysFor({ logDays, retentionDays }: Pick<OnlineEndpointProps, 'logDays' | 'retentionDays'>): number {
  if (retentionDays === 0) return logDays;
  return Math.min(logDays, LOG_DAYS.findLast((days) => days <= retentionDays) ?? 1);
}
