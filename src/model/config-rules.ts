import { ENVIRONMENTS } from '#domain/environment/environment.ts';
import type { ModelDefinition } from '#domain/model/definition.ts';
import type { Policy } from '#domain/policy/policy.ts';
import type { Config } from './config.ts';
import type { ConsistencyRule } from './consistency.ts';

/** Within `gatehouse.config.ts`. */
export const CONFIG_RULES: readonly ConsistencyRule<Config>[] = [
  {
    id: 'one-region',
    compares: '`environments.*.region`',
    because:
      'Environments read each other’s buckets, topics and queues, whose names and policies know one region only.',
    find({ environments }) {
      const { region } = environments.dev;
      return ENVIRONMENTS.filter((name) => environments[name].region !== region).map((name) => ({
        found: `environments.dev.region = ${region}, and environments.${name}.region = ${environments[name].region} (gatehouse.config.ts)`,
        remedy: 'name one region for all',
      }));
    },
  },
  {
    id: 'accounts-apart-or-one',
    compares: '`environments.*.account`',
    because:
      'Four accounts isolate the environments; one is a trial. Some that share an account look isolated and are not.',
    find({ environments }) {
      const byAccount = Map.groupBy(ENVIRONMENTS, (name) => environments[name].account);
      if (byAccount.size === 1 || byAccount.size === ENVIRONMENTS.length) return [];
      return [...byAccount].flatMap(([account, names]) =>
        names.length < 2
          ? []
          : [
              {
                found: `${names.map((name) => `environments.${name}.account`).join(' and ')} are ${account}, and others are not (gatehouse.config.ts)`,
                remedy: 'name an account for each, or one for all',
              },
            ],
      );
    },
  },
];

/** A configuration with the models that are deployed by it. */
export interface DescribedDeployment {
  readonly config: Config;
  readonly models: readonly {
    readonly definition: Pick<ModelDefinition, 'name' | 'escalation'>;
    readonly policy: Pick<Policy, 'operations'>;
  }[];
}

/** Who is notified of a model that is deployed no more. */
const ALWAYS = 'platform';

/** Between `gatehouse.config.ts` and the models. */
export const DEPLOYMENT_RULES: readonly ConsistencyRule<DescribedDeployment>[] = [
  {
    id: 'on-call-roles',
    compares: '`onCall` of the configuration and `escalation` of the models',
    because: 'A role that no model escalates to is never notified, and its people believe that they would be.',
    find({ config: { onCall = {} }, models }) {
      const known = new Set([ALWAYS, ...models.flatMap(({ definition }) => definition.escalation)]);
      return Object.keys(onCall)
        .filter((role) => !known.has(role))
        .map((role) => ({
          found: `onCall names ${role} (gatehouse.config.ts), and escalation of the models ${[...known].join(', ')}`,
          remedy: 'name roles of a model’s escalation',
        }));
    },
  },
  {
    id: 'retained-long-enough',
    compares: '`retention.artifactYears` and `operations.retentionDays` of the policies',
    because: 'What is never retained for so long is never ready to be rolled back to, so nothing could be promoted.',
    find({ config: { retention }, models }) {
      const days = 365 * retention.artifactYears;
      return models
        .filter(({ policy }) => (policy.operations?.retentionDays ?? 0) >= days)
        .map(({ definition, policy }) => ({
          found: `operations.retentionDays = ${policy.operations?.retentionDays ?? 0} of ${definition.name}, and retention.artifactYears = ${retention.artifactYears} (gatehouse.config.ts)`,
          remedy: 'retain artifacts for longer',
        }));
    },
  },
];
