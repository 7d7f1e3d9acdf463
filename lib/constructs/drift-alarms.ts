import { Duration } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, Metric, Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { DRIFT_METRICS, METRICS_NAMESPACE } from '#domain/drift/metrics.ts';
import type { Policy } from '#domain/policy/policy.ts';
import type { Names } from '#model/names.ts';

export interface DriftAlarmsProps {
  readonly names: Names;
  readonly model: string;
  readonly policy: Policy;
}

/**
 * What pages beside the audit events: a stable input that has moved, and a check that does not come. The second is why the
 * first can be believed when it is quiet. Each watches one metric, so that it says the same wherever it is evaluated.
 */
export class DriftAlarms extends Construct {
  constructor(scope: Construct, id: string, { names, model, policy }: DriftAlarmsProps) {
    super(scope, id);
    const dimensionsMap = { environment: names.environment, model };
    const metric = (metricName: string, statistic: string) =>
      new Metric({ namespace: METRICS_NAMESPACE, metricName, dimensionsMap, statistic, period: Duration.days(1) });
    const topic = Topic.fromTopicArn(this, 'Alerts', names.alertsTopicArn);
    const alarms = [
      ...(policy.drift === undefined
        ? []
        : [
            new Alarm(this, 'Drifted', {
              alarmName: names.name(`drift-${model}`),
              alarmDescription: `a stable input of ${model} has moved: docs/runbook.md, DRIFT_CHECKED`,
              metric: metric(DRIFT_METRICS.index, Stats.MAXIMUM),
              threshold: policy.drift.index,
              comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
              evaluationPeriods: 1,
              // Where it could not be judged, the check itself says so; where there was no check, the other alarm does.
              treatMissingData: TreatMissingData.NOT_BREACHING,
            }),
          ]),
      new Alarm(this, 'Unchecked', {
        alarmName: names.name(`drift-unchecked-${model}`),
        alarmDescription: `no drift check of ${model} for two days: docs/runbook.md, a drift check that does not come`,
        metric: metric(DRIFT_METRICS.checks, Stats.SUM),
        threshold: 1,
        comparisonOperator: ComparisonOperator.LESS_THAN_THRESHOLD,
        evaluationPeriods: 2,
        treatMissingData: TreatMissingData.BREACHING,
      }),
    ];
    for (const alarm of alarms) alarm.addAlarmAction(new SnsAction(topic));
  }
}
