import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ModelDefinition } from '#domain/model/definition.ts';
import type { DataKind, PolicyFloor } from '#domain/policy/policy.ts';
import type { PolicyTightening } from '#domain/policy/tightening.ts';
import { compileDeployment } from '#model/compile-deployment.ts';
import type { Config } from '#model/config.ts';
import { type SuiteColumns } from '#model/consistency.ts';
import config from '../../../gatehouse.config.ts';

export const ROOT = join(import.meta.dirname, '../../..');

export let reference: ModelDefinition;

export let folder: string;

export interface Changes {
  readonly definition?: (definition: ModelDefinition) => ModelDefinition;
  readonly floor?: (floor: PolicyFloor) => PolicyFloor;
  readonly own?: PolicyTightening;
  /** By kind: the columns that a suite names, or all that it says. */
  readonly suites?: { readonly [Kind in DataKind]?: readonly string[] | SuiteColumns };
}

export const SUITES = { events: ['origin'], labels: ['late'], features: ['flight_id', 'day', 'distance', 'late'] };

export const labels = (changes: Partial<ModelDefinition['labels']>) => (definition: ModelDefinition) => ({
  ...definition,
  labels: { ...definition.labels, ...changes },
});

const transition = (name: 'initial' | 'staging' | 'prod', changes: Partial<PolicyFloor['transitions']['prod']>) => {
  return (floor: PolicyFloor): PolicyFloor => ({
    ...floor,
    transitions: { ...floor.transitions, [name]: { ...floor.transitions[name], ...changes } },
  });
};

const withoutData = ({ data: _data, ...floor }: PolicyFloor): PolicyFloor => floor;

export const withoutProbation: PolicyTightening = {
  transitions: { staging: { probation: null }, prod: { probation: null } },
};

/** The smallest change of the reference model that breaks a rule: what is found, and what is asked for. */
export const BROKEN: readonly (readonly [rule: string, changes: Changes, found: string, remedy: string])[] = [
  [
    'holdout-long-enough',
    { definition: labels({ horizonDays: 3, matureAfterDays: 4 }), own: withoutProbation },
    'evaluation.testDays = 14 (models/flight-delay/model.ts) gives 5 blocks of labels.horizonDays = 3 (models/flight-delay/model.ts), and comparison.minimumDays = 7 (governance/policy.ts)',
    'set evaluation.testDays to 19 or more',
  ],
  [
    'holdout-long-enough',
    { own: { comparison: { minimumDays: 15 } } },
    'evaluation.testDays = 14 (models/flight-delay/model.ts) gives 14 days, and comparison.minimumDays = 15 (models/flight-delay/policy.ts)',
    'set evaluation.testDays to 15 or more',
  ],
  [
    'holdout-long-enough',
    {
      definition: (definition) => ({
        ...labels({ horizonDays: 120, matureAfterDays: 120 })(definition),
        features: { ...definition.features, eventDays: 120 },
      }),
      own: { ...withoutProbation, comparison: { minimumDays: 9 } },
    },
    'gives 1 blocks of labels.horizonDays = 120',
    'lower comparison.minimumDays or labels.horizonDays: evaluation.testDays is at most 840',
  ],
  [
    'probation-outlasts-labels',
    { definition: labels({ matureAfterDays: 7 }), own: { transitions: { prod: { probation: null } } } },
    'transitions.staging.probation.days = 7 (governance/policy.ts), and labels.matureAfterDays = 7 (models/flight-delay/model.ts)',
    'set probation.days to 8 or more in governance/policy.ts, or transitions.staging.probation to null in models/flight-delay/policy.ts',
  ],
  [
    'probation-blocks',
    { definition: labels({ horizonDays: 2 }), own: { transitions: { staging: { probation: null } } } },
    'transitions.prod.probation.days = 7 (governance/policy.ts) and labels.horizonDays = 2 (models/flight-delay/model.ts) leave 3 blocks with labels, and transitions.prod.probation.minimumDays = 5 (governance/policy.ts)',
    'set probation.days to 11 or more',
  ],
  [
    'probation-fast-rule',
    {
      floor: transition('prod', {
        probation: { days: 7, minimumDays: 5, fast: { minimumLabels: 1, hours: 168, loss: 0.02, provenLoss: 0.01 } },
      }),
    },
    'transitions.prod.probation.days = 7 (governance/policy.ts), and transitions.prod.probation.fast.hours = 168 (governance/policy.ts)',
    'lower fast.hours, or set probation.days to 8 or more',
  ],
  [
    'columns-exist',
    { own: { comparison: { slices: { columns: ['weather'] } } } },
    'comparison.slices.columns = [weather] (models/flight-delay/policy.ts) names weather, and features.columns = [minute_of_day',
    'name day, origin, minute_of_day',
  ],
  [
    'columns-exist',
    { floor: (floor) => ({ ...floor, comparison: { ...floor.comparison, cluster: 'carrier' } }) },
    'comparison.cluster = carrier (governance/policy.ts) names carrier',
    'name day, origin, minute_of_day',
  ],
  [
    'columns-exist',
    { own: { drift: { stable: ['origin'] } } },
    'drift.stable = [origin] (models/flight-delay/policy.ts) names origin',
    'name minute_of_day',
  ],
  [
    'drift-has-inputs',
    { own: { drift: {} } },
    'drift.stable = [] (governance/policy.ts), and drift.index = 0.1 (governance/policy.ts)',
    'in models/flight-delay/policy.ts: some of minute_of_day',
  ],
  [
    'suites-exist',
    { suites: { events: [], labels: [] } },
    'leakageAuc, rowCounts } (governance/policy.ts), and models/flight-delay/expectations/features.json does not exist',
    'write a suite',
  ],
  [
    // Without `data.expectations` as well: what no suite has validated is refused all the same.
    'suites-exist',
    {
      suites: { events: [], features: [] },
      floor: (floor) => ({ ...floor, data: { rowCounts: { tolerance: 0.3, weeks: 8, minimumWeeks: 3 } } }),
    },
    'data = { rowCounts } (governance/policy.ts), and models/flight-delay/expectations/labels.json does not exist',
    'write a suite',
  ],
  [
    'suite-names-columns',
    { suites: { events: [], labels: [], features: ['distance', 'speed'] } },
    'models/flight-delay/expectations/features.json names speed, and features.columns = [minute_of_day',
    'name flight_id, day, minute_of_day',
  ],
  [
    // The template's suite, and another model's columns.
    'suite-names-columns',
    { suites: { ...SUITES, events: ['event_id', 'origin'] } },
    'models/flight-delay/expectations/events.json names event_id, and events.columns = { flight_id, ',
    'name flight_id, ',
  ],
  [
    'suite-names-columns',
    { suites: { ...SUITES, labels: ['outcome'] } },
    'models/flight-delay/expectations/labels.json names outcome, and labels.columns = { ',
    'name flight_id, ',
  ],
  [
    'suite-has-columns',
    { suites: { ...SUITES, labels: { named: [], whole: [['flight_id', 'outcome', 'arrived_at']] } } },
    'models/flight-delay/expectations/labels.json says that all columns are flight_id, outcome, arrived_at, and labels.columns = { ',
    'add late to the suite',
  ],
  [
    'gate-has-data-rule',
    {
      floor: (floor) => {
        const { hotfix: _hotfix, ...transitions } = withoutData(floor).transitions;
        const { staging } = transitions;
        const gates = staging.gates.filter((gate) => gate !== 'data-validated');
        return { ...withoutData(floor), transitions: { ...transitions, staging: { ...staging, gates } } };
      },
    },
    'transitions.prod.gates = [released-upstream, data-validated, release-integrity, metric-baseline, better-than-champion, integration-tests, load, security-scan, canary-power, shadow, canary] (governance/policy.ts), and data = nothing (governance/policy.ts)',
    'add data to governance/policy.ts',
  ],
  [
    'tested-where-served',
    { floor: transition('staging', { gates: ['released-upstream', 'data-validated', 'load'] }) },
    'transitions.staging.gates = [released-upstream, data-validated, load] (governance/policy.ts) requires load, which are for transitions.prod',
    'require them of transitions.prod',
  ],
  [
    'baseline-gates',
    { floor: transition('initial', { gates: ['release-integrity', 'better-than-champion'] }) },
    'transitions.initial.gates = [release-integrity, better-than-champion] (governance/policy.ts) requires better-than-champion',
    'name these only',
  ],
  [
    'evidence-outlives-approval',
    { own: { transitions: { hotfix: { evidenceValidHours: 11 } } } },
    'transitions.hotfix.evidenceValidHours = 11 (models/flight-delay/policy.ts), and transitions.hotfix.approvalHours = 12 (governance/policy.ts)',
    'set approvalHours to 11 or less',
  ],
  [
    'approval-within-turn',
    { floor: transition('staging', { approvalHours: 235 }) },
    'transitions.staging.approvalHours = 235 (governance/policy.ts), and the next promotion waits 240 hours',
    'set approvalHours to 234 or less',
  ],
  [
    'canary-where-served',
    {
      floor: (floor) => {
        const { gates, canary } = floor.transitions.prod;
        const ofCanary = gates.filter((gate) => ['canary-power', 'shadow', 'canary'].includes(gate));
        const { staging } = floor.transitions;
        const changes = { gates: [...staging.gates, ...ofCanary], evidenceValidHours: 144, ...(canary && { canary }) };
        return transition('staging', changes)(floor);
      },
    },
    'requires canary-power, shadow, canary, and transitions.staging.canary.hours = 24 (governance/policy.ts): canaries are for transitions.prod and transitions.hotfix',
    'require them of transitions.prod or transitions.hotfix',
  ],
  [
    'canary-has-gates',
    {
      floor: (floor) =>
        transition('prod', { gates: floor.transitions.prod.gates.filter((gate) => gate !== 'shadow') })(floor),
    },
    'lacks shadow, and transitions.prod.canary.hours = 24 (governance/policy.ts)',
    'add shadow',
  ],
  [
    'evidence-outlives-canary',
    { own: { transitions: { prod: { evidenceValidHours: 125 } } } },
    'transitions.prod.evidenceValidHours = 125 (models/flight-delay/policy.ts), transitions.prod.approvalHours = 48 (governance/policy.ts) and transitions.prod.canary.deadlineHours = 72 (governance/policy.ts)',
    'set transitions.prod.evidenceValidHours to 126 or more in governance/policy.ts',
  ],
  [
    'canary-within-turn',
    {
      floor: (floor) => {
        const { canary } = floor.transitions.prod;
        const changes = {
          approvalHours: 72,
          evidenceValidHours: 300,
          ...(canary && { canary: { ...canary, deadlineHours: 163 } }),
        };
        return transition('prod', changes)(floor);
      },
    },
    'transitions.prod.canary.deadlineHours = 163 (governance/policy.ts) and transitions.prod.approvalHours = 72 (governance/policy.ts), and the next promotion waits 240 hours',
    'set deadlineHours and ab.hours to 162 or less',
  ],
  [
    'roles-named-once',
    {
      own: {
        activation: [
          { role: 'platform', count: 1 },
          { role: 'risk', count: 1 },
          { role: 'risk', count: 1 },
        ],
      },
    },
    'activation = [{role: platform, count: 1}, {role: risk, count: 1}, {role: risk, count: 1}] (models/flight-delay/policy.ts) requires risk in two entries',
    'add their counts up',
  ],
  [
    'aggregates-see-labels',
    {
      definition: (definition) => ({
        ...labels({ horizonDays: 2 })(definition),
        features: { ...definition.features, eventDays: 1 },
      }),
      own: withoutProbation,
    },
    'features.eventDays = 1 (models/flight-delay/model.ts), and labels.horizonDays = 2 (models/flight-delay/model.ts)',
    'set features.eventDays to 4',
  ],
  [
    'window-jobs',
    {
      definition: (definition) => ({
        ...definition,
        windows: [...definition.windows, { name: 'fourweeks', days: 28 }],
      }),
    },
    'windows has four-weeks and fourweeks (models/flight-delay/model.ts)',
    'name one of them otherwise',
  ],
];

export const other = (name: 'staging' | 'control', changes: Partial<Config['environments']['dev']>): Config => ({
  ...config,
  environments: { ...config.environments, [name]: { ...config.environments[name], ...changes } },
});

/** The smallest configuration that breaks each rule. */
export const BROKEN_CONFIG: readonly (readonly [rule: string, config: Config, found: string, remedy: string])[] = [
  [
    'one-region',
    other('control', { region: 'eu-central-1' }),
    'environments.dev.region = us-east-1, and environments.control.region = eu-central-1 (gatehouse.config.ts)',
    'name one region for all',
  ],
  [
    'accounts-apart-or-one',
    other('staging', { account: config.environments.dev.account }),
    'environments.dev.account and environments.staging.account are 111111111111',
    'name an account for each, or one for all',
  ],
];

/** The reference model, and a folder for models. */
export async function begin(): Promise<void> {
  mkdirSync(join(ROOT, '.gatehouse'), { recursive: true });
  folder = mkdtempSync(join(ROOT, '.gatehouse', 'consistency-'));
  const deployed = await compileDeployment(ROOT, config);
  const [model] = deployed.models;
  if (model === undefined) throw new Error('there is no reference model');
  reference = model.definition;
}

/** Removes what was made. */
export function end(): void {
  rmSync(folder, { recursive: true });
}
