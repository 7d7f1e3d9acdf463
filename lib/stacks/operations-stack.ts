import { Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { Environment } from '#domain/environment/environment.ts';
import type { DeployedModels } from '#domain/model/deployed.ts';
import { Dashboard } from '#lib/constructs/dashboard.ts';
import type { StackContext } from '#lib/constructs/function.ts';
import { Incidents } from '#lib/constructs/incidents.ts';
import { Integrity } from '#lib/constructs/integrity.ts';
import { PeoplePolicies } from '#lib/constructs/people-policies.ts';
import { SupervisionAlarms } from '#lib/constructs/supervision-alarms.ts';
import { Supervisor } from '#lib/constructs/supervisor.ts';
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
    new Supervisor(this, 'Supervisor', props);
    new Integrity(this, 'Integrity', props);
    new SupervisionAlarms(this, 'Alarms', { names });
    if (props.environment !== 'control') {
      new Incidents(this, 'Incidents', props);
      const models = props.deployed.models.map(({ definition }) => definition.name);
      new PeoplePolicies(this, 'People', { names, acts: props.acts, models });
    }
    new Dashboard(this, 'Dashboard', props);
  }
}
