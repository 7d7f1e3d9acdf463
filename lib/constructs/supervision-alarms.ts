import { Duration } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, Metric, Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { METRICS_NAMESPACE } from '#domain/drift/metrics.ts';
import { SUPERVISION_METRICS } from '#domain/supervision/metrics.ts';
import type { Names } from '#model/names.ts';

/** What pages where the supervisor itself does not come: it alone cannot tell that. */
export class SupervisionAlarms extends Construct {
  constructor(scope: Construct, id: string, { names }: { readonly names: Names }) {
    super(scope, id);
    const alerts = new SnsAction(Topic.fromTopicArn(this, 'Alerts', names.alertsTopicArn));
    const unsupervised = new Alarm(this, 'Unsupervised', {
      alarmName: names.name('unsupervised'),
      alarmDescription: `the supervisor of ${names.environment} does not come: docs/runbook.md, a supervisor that does not come`,
      metric: new Metric({
        namespace: METRICS_NAMESPACE,
        metricName: SUPERVISION_METRICS.supervised,
        dimensionsMap: { environment: names.environment },
        statistic: Stats.SUM,
        period: Duration.minutes(15),
      }),
      threshold: 1,
      comparisonOperator: ComparisonOperator.LESS_THAN_THRESHOLD,
      evaluationPeriods: 1,
      // An alarm begins without data: a new stack does not page. Data that does not come any more is a change of state.
      treatMissingData: TreatMissingData.MISSING,
    });
    unsupervised.addAlarmAction(alerts);
    unsupervised.addInsufficientDataAction(alerts);
  }
}
