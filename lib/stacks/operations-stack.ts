import { Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { Environment } from '#domain/environment/environment.ts';
import type { DeployedModels } from '#domain/model/deployed.ts';
import { environmentSchedule } from '#domain/supervision/schedules.ts';
import { accessTo } from '#lib/constructs/access.ts';
import { GatehouseFunction, type StackContext } from '#lib/constructs/function.ts';
import { Incidents } from '#lib/constructs/incidents.ts';
import { PeoplePolicies } from '#lib/constructs/people-policies.ts';
import { Schedule } from '#lib/constructs/schedule.ts';
import { SupervisionAlarms } from '#lib/constructs/supervision-alarms.ts';
import type { Config } from '#model/config.ts';
import type { Acts } from '#model/define-ownership.ts';

export interface OperationsStackProps extends StackProps, StackContext {
  readonly config: Config;
  readonly environment: Environment;
  readonly deployed: DeployedModels;
  readonly acts: Acts;
}

/** What looks after an environment: it is deployed last, because it looks at everything else. */
export class OperationsStack extends Stack {
  constructor(scope: Construct, id: string, props: OperationsStackProps) {
    super(scope, id, props);
    const { names } = props;
    const access = accessTo(names);
    const supervisor = new GatehouseFunction(this, 'Supervisor', {
      ...props,
      privilege: 'supervisor',
      timeoutSeconds: 120,
      isAsynchronous: true,
    }).bind(access.environment(), access.writesLedger('SCHEDULE', 'FAULT'));
    new Schedule(this, 'Supervise', {
      names,
      schedule: environmentSchedule('supervise'),
      targetArn: supervisor.lambda.functionArn,
      action: 'lambda:InvokeFunction',
      input: { task: 'Supervise environment', input: {} },
    });
    new SupervisionAlarms(this, 'Alarms', { names });
    if (props.environment === 'control') return;
    new Incidents(this, 'Incidents', props);
    new PeoplePolicies(this, 'People', { names, acts: props.acts });
  }
}
