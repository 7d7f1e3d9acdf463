import { Construct } from 'constructs';
import { type Environment, MACHINES, peersOf } from '#domain/environment/environment.ts';
import type { DeployedModels } from '#domain/model/deployed.ts';
import { environmentSchedule } from '#domain/supervision/schedules.ts';
import type { Watched } from '#domain/supervision/watched.ts';
import type { Config } from '#model/config.ts';
import { type Names, namesOf } from '#model/names.ts';
import { type Access, accessTo } from './access.ts';
import { GatehouseFunction, type StackContext } from './function.ts';
import { Schedule } from './schedule.ts';

export interface SupervisorProps extends StackContext {
  readonly config: Config;
  readonly environment: Environment;
  readonly deployed: DeployedModels;
}

/** The function that notices what silently stops, and its own schedule. */
export class Supervisor extends Construct {
  constructor(scope: Construct, id: string, props: SupervisorProps) {
    super(scope, id);
    const { names } = props;
    const access = accessTo(names);
    const watched = watchedIn(props);
    const supervisor = new GatehouseFunction(this, 'Function', {
      ...props,
      privilege: 'supervisor',
      timeoutSeconds: 240,
      isAsynchronous: true,
    }).bind(
      access.environment(),
      access.writesLedger('SCHEDULE', 'FAULT'),
      ...(watched.hasCatalogue ? [access.readsCatalogue()] : []),
      inspects(names, watched),
    );
    new Schedule(this, 'Schedule', {
      names,
      schedule: environmentSchedule('supervise'),
      targetArn: supervisor.lambda.functionArn,
      action: 'lambda:InvokeFunction',
      input: { task: 'Supervise environment', input: {} },
    });
  }
}

/** What there is to be looked at in an environment. */
export function watchedIn({
  config,
  environment,
  names,
  deployed,
}: Pick<SupervisorProps, 'config' | 'environment' | 'names' | 'deployed'>): Watched {
  const isServing = environment === 'staging' || environment === 'prod';
  const online = isServing ? deployed.models.filter(({ definition }) => definition.online !== undefined) : [];
  const hasCatalogue = environment !== 'control';
  return {
    prefix: names.name(''),
    inbox: { name: names.name('inbox'), arn: names.inboxQueueArn },
    peers: Object.fromEntries(peersOf(environment).map((peer) => [peer, namesOf(config, peer).announcementsTopicArn])),
    alerts: config.alerts.length === 0 ? null : names.alertsTopicArn,
    machines: Object.fromEntries(MACHINES[environment].map((machine) => [machine, names.stateMachineArn(machine)])),
    eventSourced: ['publisher', 'intake', ...(hasCatalogue ? ['admission'] : [])].map(names.functionName),
    requestLogs: online.map(({ definition }) => `/aws/lambda/${names.functionName(`endpoint-${definition.name}`)}`),
    keys: [names.signingKeyAlias, ...(online.length > 0 ? [names.requestLogKeyAlias] : [])],
    hasCatalogue,
  };
}

/** Looking at what is watched; some of it AWS grants for all of an account's only. */
function inspects(names: Names, watched: Watched): Access {
  const topics = [...Object.values(watched.peers), ...(watched.alerts === null ? [] : [watched.alerts])];
  const machines = Object.values(watched.machines);
  return {
    variables: { WATCHED: JSON.stringify(watched) },
    statements: [
      { actions: ['sqs:ListQueues', 'lambda:ListEventSourceMappings'], resources: ['*'] },
      { actions: ['sqs:GetQueueAttributes'], resources: [names.arn('sqs', names.name('*'))] },
      { actions: ['sns:ListSubscriptionsByTopic'], resources: topics },
      {
        actions: ['kms:DescribeKey'],
        resources: [names.arn('kms', 'key/*')],
        conditions: { 'ForAnyValue:StringEquals': { 'kms:ResourceAliases': [...watched.keys] } },
      },
      ...(machines.length === 0 ? [] : [{ actions: ['states:ListExecutions'], resources: machines }]),
      ...(watched.requestLogs.length === 0
        ? []
        : [
            {
              actions: ['logs:DescribeSubscriptionFilters'],
              resources: watched.requestLogs.map((name) => `${names.arn('logs', `log-group:${name}`)}:*`),
            },
          ]),
    ],
  };
}
