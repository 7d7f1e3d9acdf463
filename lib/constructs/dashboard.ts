import { Duration, Stage } from 'aws-cdk-lib';
import {
  Alarm,
  AlarmStatusWidget,
  CfnAlarm,
  Dashboard as CloudWatchDashboard,
  GraphWidget,
  type IWidget,
  Metric,
  SingleValueWidget,
} from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import type { Environment } from '#domain/environment/environment.ts';
import type { DeployedModels } from '#domain/model/deployed.ts';
import type { Names } from '#model/names.ts';
import { dashboardRows, type DashboardWidget, type MetricLine } from './dashboard-widgets.ts';

export interface DashboardProps {
  readonly names: Names;
  readonly environment: Environment;
  readonly deployed: DeployedModels;
}

/** The one dashboard of an environment. It is made after all alarms, and shows each of them. */
export class Dashboard extends Construct {
  constructor(scope: Construct, id: string, { names, environment, deployed }: DashboardProps) {
    super(scope, id);
    const rows = dashboardRows({
      environment,
      models: deployed.models.map(({ definition: { name: model, online } }) => ({
        model,
        isOnline: online !== undefined,
      })),
      alarms: alarmsOf(this),
    });
    new CloudWatchDashboard(this, 'Dashboard', {
      dashboardName: names.name('operations'),
      widgets: rows.map((row) => row.map((widget) => this.widgetOf(widget, names))),
    });
  }

  private widgetOf(widget: DashboardWidget, names: Names): IWidget {
    const { title, width, height } = widget;
    switch (widget.kind) {
      case 'alarms':
        return new AlarmStatusWidget({
          title,
          width,
          height,
          alarms: widget.alarms.map((name) => Alarm.fromAlarmArn(this, name, names.arn('cloudwatch', `alarm:${name}`))),
        });
      case 'number':
        return new SingleValueWidget({ title, width, height, metrics: widget.lines.map(metricOf) });
      case 'graph':
        return new GraphWidget({ title, width, height, left: widget.lines.map(metricOf) });
    }
  }
}

function metricOf({ namespace, name, dimensions, statistic, minutes, label }: MetricLine): Metric {
  return new Metric({
    namespace,
    metricName: name,
    dimensionsMap: { ...dimensions },
    statistic,
    period: Duration.minutes(minutes),
    label,
  });
}

/** The names of the alarms that were made in the environment so far. */
function alarmsOf(scope: Construct): readonly string[] {
  const found = (Stage.of(scope)?.node.findAll() ?? []).flatMap((each) =>
    each instanceof CfnAlarm && each.alarmName !== undefined ? [each.alarmName] : [],
  );
  return found.toSorted();
}
