import type { Environment } from '#domain/environment/environment.ts';
import type { Config } from './config.ts';

/**
 * The physical names of an environment's resources. They are fixed, because peers in other accounts name each other's
 * buckets, topics and roles in policies that must be deployable in any order.
 */
export function namesOf(config: Config, environment: Environment) {
  const { account, region } = config.environments[environment];
  const name = (thing: string): string => `gatehouse-${environment}-${thing}`;
  const arn = (service: string, resource: string): string => `arn:aws:${service}:${region}:${account}:${resource}`;
  return {
    environment,
    account,
    region,
    ledgerTable: name('ledger'),
    catalogueTable: name('catalogue'),
    predictionTable: name('predictions'),
    artifactBucket: `${name('artifacts')}-${account}`,
    publishedBucket: `${name('published')}-${account}`,
    landingBucket: `${name('landing')}-${account}`,
    lakeBucket: `${name('lake')}-${account}`,
    trainingBucket: `${name('training')}-${account}`,
    bus: name('bus'),
    announcementsTopicArn: arn('sns', name('announcements')),
    alertsTopicArn: arn('sns', name('alerts')),
    approversTopicArn: arn('sns', name('approvers')),
    inboxQueueArn: arn('sqs', name('inbox')),
    signingKeyAlias: `alias/${name('signing')}`,
    requestLogKeyAlias: `alias/${name('request-log')}`,
    stateMachineArn: (machine: string): string => arn('states', `stateMachine:${name(machine)}`),
    functionName: (privilege: string): string => name(privilege),
    roleArn: (privilege: string): string => `arn:aws:iam::${account}:role/${name(privilege)}`,
    name,
    arn,
  };
}
export type Names = ReturnType<typeof namesOf>;
