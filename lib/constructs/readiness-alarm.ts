import { Duration } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, Metric, Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { METRICS_NAMESPACE } from '#domain/drift/metrics.ts';
import { READINESS_METRIC } from '#domain/rollback-readiness/readiness.ts';
import type { Names } from '#model/names.ts';

export interface ReadinessAlarmProps {
  readonly names: Names;
  readonly model: string;
}

/** Pages where a rollback would not work, and where nobody has looked for a day: the newest check may be all that is wrong. */
export class ReadinessAlarm extends Construct {
  constructor(scope: Construct, id: string, { names, model }: ReadinessAlarmProps) {
    super(scope, id);
    const alerts = new SnsAction(Topic.fromTopicArn(this, 'Alerts', names.alertsTopicArn));
    const alarm = new Alarm(this, 'NotReady', {
      alarmName: names.name(`rollback-not-ready-${model}`),
      alarmDescription: `a rollback of ${model} would not work, or nobody looks: docs/runbook.md, ROLLBACK_READINESS_CHECKED`,
      metric: new Metric({
        namespace: METRICS_NAMESPACE,
        metricName: READINESS_METRIC,
        dimensionsMap: { environment: names.environment, model },
        // Of several checks on a day the worst counts.
        statistic: Stats.MINIMUM,
        period: Duration.days(1),
      }),
      threshold: 1,
      comparisonOperator: ComparisonOperator.LESS_THAN_THRESHOLD,
      evaluationPeriods: 1,
      // An alarm begins without data: a model that serves nothing, or its first release, pages nobody. Data that does not come any
      // more is a change of state.
      treatMissingData: TreatMissingData.MISSING,
    });
    alarm.addAlarmAction(alerts);
    alarm.addInsufficientDataAction(alerts);
  }
}
