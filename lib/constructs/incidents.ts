import { EventBus, EventField, Rule, RuleTargetInput } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { Construct } from 'constructs';
import { SIGNAL_CODES } from '#domain/incident/signals.ts';
import { environmentSchedule } from '#domain/supervision/schedules.ts';
import { accessTo } from './access.ts';
import { AslStateMachine } from './asl-state-machine.ts';
import { GatehouseFunction, type StackContext } from './function.ts';
import { Schedule } from './schedule.ts';

/** What opens incidents and changes them: woken by records that are signals, by the clock, and by people through a machine. */
export class Incidents extends Construct {
  constructor(scope: Construct, id: string, props: StackContext) {
    super(scope, id);
    const { names } = props;
    const access = accessTo(names);
    const incidents = new GatehouseFunction(this, 'Function', {
      ...props,
      privilege: 'incidents',
      timeoutSeconds: 120,
      isAsynchronous: true,
    }).bind(
      access.environment(),
      access.writesLedger('INCIDENT', 'CURSOR', 'FAULT', 'SCHEDULE'),
      access.readsCatalogue(),
      access.writesDocuments(),
    );
    new AslStateMachine(this, 'Machine', {
      ...props,
      machine: 'incident',
      bindings: { IncidentsFunction: { function: incidents } },
    });
    new Rule(this, 'Signalled', {
      ruleName: names.name('incident-signals'),
      eventBus: EventBus.fromEventBusName(this, 'Bus', names.bus),
      eventPattern: { source: ['gatehouse'], detailType: [...SIGNAL_CODES] },
      targets: [
        new LambdaFunction(incidents.lambda, {
          event: RuleTargetInput.fromObject({
            task: 'Tend incidents',
            input: { model: EventField.fromPath('$.detail.model') },
          }),
        }),
      ],
    });
    new Schedule(this, 'Tending', {
      names,
      schedule: environmentSchedule('tend-incidents'),
      targetArn: incidents.lambda.functionArn,
      action: 'lambda:InvokeFunction',
      input: { task: 'Tend incidents', input: { model: null } },
    });
  }
}
