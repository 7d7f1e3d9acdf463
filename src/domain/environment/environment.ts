/** The environments, in the order in which a release travels; control is where people meet the system. */
export const ENVIRONMENTS = ['dev', 'staging', 'prod', 'control'] as const;
export type Environment = (typeof ENVIRONMENTS)[number];

/** Where releases are trained and registered. */
export const ORIGIN = 'dev' satisfies Environment;

/** The state machines of each environment that serves. */
const SERVING_MACHINES = [
  'promotion',
  'canary',
  'confirmation',
  'rollback',
  'rollback-readiness',
  'rollback-verification',
  'probation',
  'drift',
  'batch-inference',
  'incident',
] as const;

/** The state machines of an environment, by the names of their files. */
export const MACHINES = {
  dev: ['retraining', 'validation', 'data-quality', 'incident'],
  staging: [...SERVING_MACHINES, 'release-tests'],
  prod: SERVING_MACHINES,
  control: [],
} as const satisfies Readonly<Record<Environment, readonly string[]>>;

/** The environment that a release comes from, for each that promotes; a hotfix comes from the origin. */
const SOURCE: Readonly<Partial<Record<string, Environment>>> = { staging: 'dev', prod: 'staging' };

/** The environment that a release comes from into another one; undefined where nothing is promoted. */
export function sourceOf(environment: string): Environment | undefined {
  return SOURCE[environment];
}

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

/** The environments whose releases an environment pulls: its source, and into prod, for a hotfix, the origin. */
export function sourcesOf(environment: Environment): readonly Environment[] {
  const source = sourceOf(environment);
  if (source === undefined) return [];
  return environment === 'prod' ? [source, ORIGIN] : [source];
}

/** The environments that pull an environment's releases. */
export function pullersOf(environment: Environment): readonly Environment[] {
  return ENVIRONMENTS.filter((other) => sourcesOf(other).includes(environment));
}
