import { type Config, type Environment, ENVIRONMENTS } from './config.ts';

/** The state machines of an environment, by the names of their files. */
export const MACHINES = {
  dev: ['retraining', 'validation', 'data-quality'],
  staging: ['promotion', 'confirmation', 'rollback', 'probation', 'drift', 'batch-inference'],
  prod: ['promotion', 'confirmation', 'rollback', 'probation', 'drift', 'batch-inference'],
  control: [],
} as const;

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
    stateMachineArn: (machine: string): string => arn('states', `stateMachine:${name(machine)}`),
    functionName: (privilege: string): string => name(privilege),
    roleArn: (privilege: string): string => `arn:aws:iam::${account}:role/${name(privilege)}`,
    name,
    arn,
  };
}
export type Names = ReturnType<typeof namesOf>;

/** The environments whose announcements and published records an environment follows. */
export function peersOf(environment: Environment): readonly Environment[] {
  switch (environment) {
    case 'dev':
      return ['prod'];
    case 'staging':
      return ['dev', 'control'];
    case 'prod':
      return ['dev', 'staging', 'control'];
    case 'control':
      return ['staging', 'prod'];
  }
}

/** The environments whose releases an environment pulls: the one before it, and for a hotfix the one in which all are registered. */
export function sourcesOf(environment: Environment): readonly Environment[] {
  switch (environment) {
    case 'staging':
      return ['dev'];
    case 'prod':
      return ['staging', 'dev'];
    case 'dev':
    case 'control':
      return [];
  }
}

/** The environments that pull an environment's releases. */
export function pullersOf(environment: Environment): readonly Environment[] {
  return ENVIRONMENTS.filter((other) => sourcesOf(other).includes(environment));
}
