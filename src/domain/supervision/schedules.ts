import type { Environment } from '../environment/environment.ts';
import type { ModelDefinition } from '../model/definition.ts';

/** The schedules of each model, by environment; each has a name of its own in `schedulesOf`. */
const OF_MODELS = {
  dev: ['retrain', 'check'],
  staging: ['review', 'drift', 'predict', 'service-level', 'readiness'],
  prod: ['review', 'drift', 'predict', 'service-level', 'readiness'],
  control: [],
} as const satisfies Record<Environment, readonly string[]>;

/** What runs in every environment, by the clock. */
const OF_EACH = ['reconcile', 'supervise', 'integrity'] as const;

/** What runs where there are incidents. */
const OF_INCIDENTS = ['tend-incidents'] as const;

/** What runs where a model is online. */
const OF_ENDPOINTS = ['probes', 'alarms-supervised'] as const;

export type ModelSchedule = (typeof OF_MODELS)[Environment][number];
export type EnvironmentSchedule =
  | (typeof OF_EACH)[number]
  | (typeof OF_INCIDENTS)[number]
  | (typeof OF_ENDPOINTS)[number];
export type ScheduleKind = ModelSchedule | EnvironmentSchedule;

/** How often each runs, but for retraining, which has the time of its model. */
const RATES: Readonly<Record<Exclude<ScheduleKind, 'retrain'>, string>> = {
  check: 'rate(15 minutes)',
  review: 'rate(1 day)',
  drift: 'rate(1 day)',
  predict: 'rate(1 day)',
  'service-level': 'rate(1 hour)',
  probes: 'rate(1 minute)',
  'alarms-supervised': 'rate(1 minute)',
  reconcile: 'rate(5 minutes)',
  supervise: 'rate(5 minutes)',
  integrity: 'rate(1 hour)',
  readiness: 'rate(1 day)',
  'tend-incidents': 'rate(5 minutes)',
};

/** When something runs: EventBridge Scheduler's `cron(...)` or `rate(...)`, and the IANA time zone that a cron is meant in. */
export interface Timing {
  readonly expression: string;
  readonly timezone: string;
}

/** A schedule of an environment: deployed by this name, and supervised by it. */
export interface Scheduled extends Timing {
  /** Without the environment's prefix. */
  readonly name: string;
  readonly kind: ScheduleKind;
  /** None where it is the environment's. */
  readonly model?: string;
}

/** The name of a schedule without the environment's prefix. */
export function scheduleName(kind: ScheduleKind, model?: string): string {
  return model === undefined ? kind : `${kind}-${model}`;
}

/** A schedule of a model. */
export function modelSchedule(kind: ModelSchedule, { name: model, schedule }: ModelDefinition): Scheduled {
  const timing =
    kind === 'retrain'
      ? { expression: schedule.cron, timezone: schedule.timezone }
      : { expression: RATES[kind], timezone: 'UTC' };
  return { name: scheduleName(kind, model), kind, model, ...timing };
}

/** A schedule of an environment. */
export function environmentSchedule(kind: EnvironmentSchedule): Scheduled {
  return { name: scheduleName(kind), kind, expression: RATES[kind], timezone: 'UTC' };
}

/** All schedules of an environment. The constructs deploy these and no others, and the supervisor expects each of them to run. */
export function schedulesOf(environment: Environment, models: readonly ModelDefinition[]): readonly Scheduled[] {
  const hasEndpoints = (environment === 'staging' || environment === 'prod') && models.some(({ online }) => online);
  return [
    ...models.flatMap((model) => OF_MODELS[environment].map((kind) => modelSchedule(kind, model))),
    ...(hasEndpoints ? OF_ENDPOINTS : []).map(environmentSchedule),
    ...(environment === 'control' ? [] : OF_INCIDENTS).map(environmentSchedule),
    ...OF_EACH.map(environmentSchedule),
  ];
}
