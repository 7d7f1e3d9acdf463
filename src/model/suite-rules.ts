import { DataKind } from '#domain/policy/policy.ts';
import type { ConsistencyRule, DescribedModel } from './consistency.ts';
import { inModel, inPolicy } from './where-values-stand.ts';

/** Between a model's suites of expectations, its definition and its policy. */
export const SUITE_RULES: readonly ConsistencyRule<DescribedModel>[] = [
  {
    id: 'suites-exist',
    compares: '`data` × `expectations/*.json`',
    because:
      'Where the policy has rules for data, partitions and training rows that no suite has validated refuse every training.',
    find(model) {
      if (model.policy.data === undefined) return [];
      const folder = `models/${model.definition.name}/expectations`;
      return DataKind.options
        .filter((kind) => model.suites[kind] === undefined)
        .map((kind) => ({
          found: `${inPolicy(model, 'data')}, and ${folder}/${kind}.json does not exist`,
          remedy: `write a suite of Great Expectations for ${kind}; gatehouse model new makes examples`,
        }));
    },
  },
  {
    id: 'suite-names-columns',
    compares: '`expectations/*.json` × `events.columns`, `labels.columns`, `features.columns`',
    because:
      'Training rows have the id, the day, the features and the label; only declared columns are sure to be in partitions. An expectation of another column fails.',
    find: (model) =>
      suitesOf(model).flatMap(({ file, named, columns, declared }) =>
        named
          .filter((column) => !columns.includes(column))
          .map((column) => ({
            found: `${file} names ${column}, and ${declared}`,
            remedy: `name ${columns.join(', ')}`,
          })),
      ),
  },
  {
    id: 'suite-has-columns',
    compares: '`expect_table_columns_to_match_set`, `..._ordered_list` × the declared columns',
    because: 'A declared column is in each partition: a suite that leaves it out of all that there are is never met.',
    find: (model) =>
      suitesOf(model).flatMap(({ file, whole, columns, declared }) =>
        whole.flatMap((all) => {
          const lacking = columns.filter((column) => !all.includes(column));
          if (lacking.length === 0) return [];
          const found = `${file} says that all columns are ${all.join(', ')}, and ${declared}`;
          return [{ found, remedy: `add ${lacking.join(', ')} to the suite` }];
        }),
      ),
  },
];

/** Each suite that a model has, with the columns that what it validates has for sure. */
function suitesOf(model: DescribedModel) {
  const { name, events, labels, features } = model.definition;
  const columns = {
    events: { columns: Object.keys(events.columns), path: 'events.columns' },
    labels: { columns: Object.keys(labels.columns), path: 'labels.columns' },
    features: { columns: [events.id, 'day', ...features.columns, labels.value], path: 'features.columns' },
  };
  return DataKind.options.flatMap((kind) => {
    const suite = model.suites[kind];
    if (suite === undefined) return [];
    const file = `models/${name}/expectations/${kind}.json`;
    return [{ ...suite, file, columns: columns[kind].columns, declared: inModel(model, columns[kind].path) }];
  });
}
