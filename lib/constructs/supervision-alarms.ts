import { Duration } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, Metric, Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { METRICS_NAMESPACE } from '#domain/drift/metrics.ts';
import { SUPERVISION_METRICS } from '#domain/supervision/metrics.ts';
import type { Names } from '#model/names.ts';

/** What pages where the supervisor itself does not come, which it alone cannot tell; and what it counts that AWS's own metrics have by the queue only. */
export class SupervisionAlarms extends Construct {
  constructor(scope: Construct, id: string, { names }: { readonly names: Names }) {
    super(scope, id);
    const alerts = new SnsAction(Topic.fromTopicArn(this, 'Alerts', names.alertsTopicArn));
    const own = (metricName: string, statistic: string): Metric =>
      new Metric({
        namespace: METRICS_NAMESPACE,
        metricName,
        dimensionsMap: { environment: names.environment },
        statistic,
        period: Duration.minutes(15),
      });
    const unsupervised = new Alarm(this, 'Unsupervised', {
      alarmName: names.name('unsupervised'),
      alarmDescription: `the supervisor of ${names.environment} does not come: docs/runbook.md, a supervisor that does not come`,
      metric: own(SUPERVISION_METRICS.supervised, Stats.SUM),
      threshold: 1,
      comparisonOperator: ComparisonOperator.LESS_THAN_THRESHOLD,
      evaluationPeriods: 1,
      // An alarm begins without data: a new stack does not page. Data that does not come any more is a change of state.
      treatMissingData: TreatMissingData.MISSING,
    });
    unsupervised.addAlarmAction(alerts);
    unsupervised.addInsufficientDataAction(alerts);
    new Alarm(this, 'DeadLetters', {
      alarmName: names.name('dead-letters'),
      alarmDescription: `a dead-letter queue of ${names.environment} is not empty: docs/runbook.md, dead-letter queues`,
      metric: own(SUPERVISION_METRICS.deadLetters, Stats.MAXIMUM),
      threshold: 0,
      comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
      evaluationPeriods: 1,
      // Nothing is known where nobody looks, which the other alarm says.
      treatMissingData: TreatMissingData.IGNORE,
    }).addAlarmAction(alerts);
  }
}
