import { ENVIRONMENTS } from '#domain/environment/environment.ts';
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
