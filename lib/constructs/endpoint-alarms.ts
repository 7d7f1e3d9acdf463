import { Duration } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, Metric, Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { LambdaAction, SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { type AlarmKind, ENDPOINT_METRICS, UNPROBED_MINUTES } from '#domain/alarm/alarm.ts';
import { METRICS_NAMESPACE } from '#domain/drift/metrics.ts';
import type { ServingRule } from '#domain/policy/serving.ts';
import type { Names } from '#model/names.ts';

/** What the names of an environment's endpoint alarms, and of its endpoint functions, begin with. */
export function endpointPrefix(names: Names): string {
  return names.name('endpoint-');
}

export interface EndpointAlarmsProps {
  readonly names: Names;
  readonly model: string;
  /** The id of its HTTP API. */
  readonly api: string;
  readonly rule: ServingRule;
  /** The alias of the function that judges an alarm. */
  readonly trigger: IFunction;
}

/**
 * The alarms of an endpoint. Three wake the function that judges them, and tell people; three more tell people only. Each watches one
 * metric, and none decides: a threshold here is where it is worth looking.
 */
export class EndpointAlarms extends Construct {
  constructor(scope: Construct, id: string, { names, model, api, rule, trigger }: EndpointAlarmsProps) {
    super(scope, id);
    const { environment } = names;
    const topic = new SnsAction(Topic.fromTopicArn(this, 'Alerts', names.alertsTopicArn));
    const own = (metricName: string, statistic: string, minutes: number, arm = false): Metric =>
      new Metric({
        namespace: METRICS_NAMESPACE,
        metricName,
        dimensionsMap: { environment, model, ...(arm ? { arm: 'champion' } : {}) },
        statistic,
        period: Duration.minutes(minutes),
      });
    const alarm = (
      kind: AlarmKind | 'unprobed' | 'unavailable' | 'throttled',
      article: string,
      of: {
        readonly metric: Metric;
        readonly threshold: number;
        readonly operator?: ComparisonOperator;
        readonly periods?: readonly [datapoints: number, of: number];
        readonly missing?: TreatMissingData;
      },
    ): Alarm => {
      const [datapoints, periods] = of.periods ?? [1, 1];
      const made = new Alarm(this, kind, {
        alarmName: `${endpointPrefix(names)}${kind}-${model}`,
        alarmDescription: `${model} in ${environment}: docs/runbook.md, ${article}`,
        metric: of.metric,
        threshold: of.threshold,
        comparisonOperator: of.operator ?? ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        evaluationPeriods: periods,
        datapointsToAlarm: datapoints,
        treatMissingData: of.missing ?? TreatMissingData.NOT_BREACHING,
      });
      made.addAlarmAction(topic);
      return made;
    };
    const { errors, latency, health } = rule;
    const waking = [
      alarm('errors', 'an endpoint that fails requests', {
        // Of the API: a function that crashes, or is too late, writes no metric of its own.
        metric: new Metric({
          namespace: 'AWS/ApiGateway',
          metricName: '5xx',
          dimensionsMap: { ApiId: api },
          statistic: Stats.SUM,
          period: Duration.minutes(errors.minutes),
        }),
        threshold: errors.minimumCount,
      }),
      alarm('latency', 'an endpoint that became slow', {
        metric: own(ENDPOINT_METRICS.slow, Stats.AVERAGE, latency.minutes, true),
        threshold: latency.share,
        operator: ComparisonOperator.GREATER_THAN_THRESHOLD,
      }),
      alarm('health', 'probes that fail', {
        metric: own(ENDPOINT_METRICS.probeFailed, Stats.MAXIMUM, 1),
        threshold: 1,
        periods: [health.failures, health.failures + 2],
        missing: TreatMissingData.IGNORE,
      }),
    ];
    for (const each of waking) each.addAlarmAction(new LambdaAction(trigger, { useUniquePermissionId: true }));
    const unprobed = alarm('unprobed', 'probes that do not come', {
      metric: own(ENDPOINT_METRICS.unprobed, Stats.MAXIMUM, 5),
      threshold: UNPROBED_MINUTES,
      // An alarm begins without data: a new stack does not page. Data that does not come any more is a change of state.
      missing: TreatMissingData.MISSING,
    });
    unprobed.addInsufficientDataAction(topic);
    alarm('unavailable', 'an endpoint that lacks something beside its release', {
      metric: own(ENDPOINT_METRICS.dependencyUnavailable, Stats.SUM, errors.minutes, true),
      threshold: errors.minimumCount,
    });
    alarm('throttled', 'an endpoint that is throttled', {
      metric: new Metric({
        namespace: 'AWS/Lambda',
        metricName: 'Throttles',
        dimensionsMap: { FunctionName: names.functionName(`endpoint-${model}`) },
        statistic: Stats.SUM,
        period: Duration.minutes(errors.minutes),
      }),
      threshold: errors.minimumCount,
    });
  }
}
