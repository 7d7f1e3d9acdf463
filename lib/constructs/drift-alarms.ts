import { Duration } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, Metric, Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { DRIFT_METRICS, METRICS_NAMESPACE, UNCHECKED_HOURS } from '#domain/drift/metrics.ts';
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
    const largest = (metricName: string, period: Duration) =>
      new Metric({ namespace: METRICS_NAMESPACE, metricName, dimensionsMap, statistic: Stats.MAXIMUM, period });
    const alerts = new SnsAction(Topic.fromTopicArn(this, 'Alerts', names.alertsTopicArn));
    if (policy.drift !== undefined)
      new Alarm(this, 'Drifted', {
        alarmName: names.name(`drift-${model}`),
        alarmDescription: `a stable input of ${model} has moved: docs/runbook.md, DRIFT_CHECKED`,
        metric: largest(DRIFT_METRICS.index, Duration.days(1)),
        threshold: policy.drift.index,
        comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
        evaluationPeriods: 1,
        // Where it could not be judged, the check itself says so; where there was no check, the other alarm does.
        treatMissingData: TreatMissingData.NOT_BREACHING,
      }).addAlarmAction(alerts);
    const unchecked = new Alarm(this, 'Unchecked', {
      alarmName: names.name(`drift-unchecked-${model}`),
      alarmDescription: `no drift check of ${model} for two days, or nobody looks: docs/runbook.md, a drift check that does not come`,
      metric: largest(DRIFT_METRICS.unchecked, Duration.hours(1)),
      threshold: UNCHECKED_HOURS,
      comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
      evaluationPeriods: 1,
      // An alarm begins without data. As breaching, missing data would page when the stack is made; as it is, a new stack has as
      // many hours as any other time, and data that does not come any more is a change of state, which pages below.
      treatMissingData: TreatMissingData.MISSING,
    });
    unchecked.addAlarmAction(alerts);
    unchecked.addInsufficientDataAction(alerts);
  }
}
