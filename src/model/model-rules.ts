import type { GateId } from '#domain/gates/gate.ts';
import { MOST_TEST_DAYS } from '#domain/model/definition.ts';
import type { ApprovalRule } from '#domain/policy/approval-rule.ts';
import { PATIENCE_HOURS, WORK_HOURS } from '#domain/promotion/durations.ts';
import type { ConsistencyRule, DescribedModel } from './consistency.ts';
import { CANARY_RULES } from './canary-rules.ts';
import { SUITE_RULES } from './suite-rules.ts';
import { inModel, inPolicy, own, transitions } from './where-values-stand.ts';

/** The gates that a baseline can pass: it was not trained on checked data, and there is no champion to compare it with. */
const TESTED_IN_STAGING: readonly GateId[] = ['integration-tests', 'load', 'security-scan'];
const BASELINE_GATES: readonly GateId[] = ['released-upstream', 'release-integrity'];

/** Between a definition, its policy, the floor, and the files of the model. */
export const MODEL_RULES: readonly ConsistencyRule<DescribedModel>[] = [
  {
    id: 'holdout-long-enough',
    compares: '`evaluation.testDays`, `labels.horizonDays` × `comparison.minimumDays`',
    because:
      'The test days are the clusters of the comparison, in blocks of `horizonDays` where there is a horizon. Too few are INCONCLUSIVE in every run.',
    find(model) {
      const { evaluation, labels } = model.definition;
      const { cluster, minimumDays } = model.policy.comparison;
      const horizon = labels.horizonDays ?? 1;
      const blocks = Math.ceil(evaluation.testDays / horizon);
      if (cluster !== 'day' || blocks >= minimumDays) return [];
      const needed = (minimumDays - 1) * horizon + 1;
      const what = horizon === 1 ? `${blocks} days` : `${blocks} blocks of ${inModel(model, 'labels.horizonDays')}`;
      const remedy =
        needed <= MOST_TEST_DAYS
          ? `set evaluation.testDays to ${needed} or more`
          : `lower comparison.minimumDays or labels.horizonDays: evaluation.testDays is at most ${MOST_TEST_DAYS}`;
      const needs = inPolicy(model, 'comparison.minimumDays');
      return [{ found: `${inModel(model, 'evaluation.testDays')} gives ${what}, and ${needs}`, remedy }];
    },
  },
  {
    id: 'probation-outlasts-labels',
    compares: '`transitions.*.probation.days` × `labels.matureAfterDays`',
    because:
      'At its end not one day since the promotion has all its labels: where they come late, the release is rolled back.',
    find: (model) =>
      probations(model).flatMap(({ path, probation }) => {
        const { matureAfterDays } = model.definition.labels;
        if (probation.days > matureAfterDays) return [];
        const found = `${inPolicy(model, `${path}.days`)}, and ${inModel(model, 'labels.matureAfterDays')}`;
        return [{ found, remedy: otherProbation(model, path, matureAfterDays + 1) }];
      }),
  },
  {
    id: 'probation-blocks',
    compares: '`transitions.*.probation.days`, `.minimumDays` × `labels.horizonDays`',
    because:
      'No label arrives before its horizon is over: of the days since the promotion fewer blocks have labels than are needed to confirm, and the release is rolled back.',
    find: (model) =>
      probations(model).flatMap(({ path, probation: { days, minimumDays } }) => {
        const horizon = model.definition.labels.horizonDays;
        if (horizon === undefined || model.policy.comparison.cluster !== 'day') return [];
        const blocks = Math.ceil(Math.max(0, days - horizon) / horizon);
        if (blocks >= minimumDays) return [];
        const found = `${inPolicy(model, `${path}.days`)} and ${inModel(model, 'labels.horizonDays')} leave ${blocks} blocks with labels, and ${inPolicy(model, `${path}.minimumDays`)}`;
        return [{ found, remedy: otherProbation(model, path, minimumDays * horizon + 1) }];
      }),
  },
  {
    id: 'probation-fast-rule',
    compares: '`transitions.*.probation.fast.hours`, `.days` × `labels.horizonDays`',
    because: 'No label is old enough before the probation is over: the fast rule never rolls back.',
    find: (model) =>
      probations(model).flatMap(({ path, probation: { days, fast } }) => {
        const { horizonDays } = model.definition.labels;
        const needed = (horizonDays ?? 0) + Math.ceil(fast.hours / 24) + 1;
        if (days >= needed) return [];
        const horizon = horizonDays === undefined ? '' : `, ${inModel(model, 'labels.horizonDays')}`;
        const found = `${inPolicy(model, `${path}.days`)}${horizon}, and ${inPolicy(model, `${path}.fast.hours`)}`;
        return [{ found, remedy: `lower fast.hours, or ${otherProbation(model, path, needed)}` }];
      }),
  },
  {
    id: 'columns-exist',
    compares: '`comparison.cluster`, `comparison.slices.columns`, `drift.stable` × `features.columns`, `events.entity`',
    because: 'What is measured is read from the feature partitions: a column that they lack fails every measurement.',
    find(model) {
      const { events, features } = model.definition;
      const { comparison, drift } = model.policy;
      const columns = ['day', events.entity, ...features.columns];
      const named = [
        { path: 'comparison.cluster', named: [comparison.cluster], allowed: columns },
        { path: 'comparison.slices.columns', named: comparison.slices.columns, allowed: columns },
        { path: 'drift.stable', named: drift?.stable ?? [], allowed: features.columns },
      ];
      return named.flatMap(({ path, named, allowed }) =>
        named
          .filter((column) => !allowed.includes(column))
          .map((column) => ({
            found: `${inPolicy(model, path)} names ${column}, and ${inModel(model, 'features.columns')}`,
            remedy: `name ${allowed.join(', ')}`,
          })),
      );
    },
  },
  {
    id: 'drift-has-inputs',
    compares: '`drift` × `drift.stable`',
    because:
      'Drift of inputs is judged by the stable ones. Without any, every daily check is insufficient, and people are told so.',
    find(model) {
      if (model.policy.drift === undefined || model.policy.drift.stable.length > 0) return [];
      const found = `${inPolicy(model, 'drift.stable')}, and ${inPolicy(model, 'drift.index')}`;
      const remedy = `name inputs that healthy days leave as they are in ${own(model)}: some of ${model.definition.features.columns.join(', ')}`;
      return [{ found, remedy }];
    },
  },
  ...SUITE_RULES,
  {
    id: 'gate-has-data-rule',
    compares: '`transitions.*.gates` × `data`',
    because: 'Without a rule for data nothing is validated, and `data-validated` fails for every release.',
    find: (model) =>
      transitions(model).flatMap(({ path, rule }) =>
        rule.gates.includes('data-validated') && model.policy.data === undefined
          ? [
              {
                found: `${inPolicy(model, `${path}.gates`)}, and ${inPolicy(model, 'data')}`,
                remedy: 'add data to governance/policy.ts, or leave the gate out',
              },
            ]
          : [],
      ),
  },
  {
    id: 'baseline-gates',
    compares: '`transitions.initial.gates` × what a baseline is',
    because:
      'A baseline is not trained, and no champion is there to compare it with: other gates never pass, and nothing is ever served.',
    find: (model) =>
      model.policy.transitions.initial.gates
        .filter((gate) => !BASELINE_GATES.includes(gate))
        .map((gate) => ({
          found: `${inPolicy(model, 'transitions.initial.gates')} requires ${gate}, and a baseline can pass ${BASELINE_GATES.join(', ')} only`,
          remedy: 'name these only',
        })),
  },
  {
    id: 'tested-where-served',
    compares: '`transitions.*.gates` × where staging’s findings are known',
    because: 'Staging tests what it serves, and says so to prod: into staging, or past it, nothing has been tested.',
    find: (model) =>
      transitions(model).flatMap(({ path, rule }) => {
        if (path === 'transitions.prod') return [];
        const gates = rule.gates.filter((gate) => TESTED_IN_STAGING.includes(gate));
        if (gates.length === 0) return [];
        const found = `${inPolicy(model, `${path}.gates`)} requires ${gates.join(', ')}, which are for transitions.prod`;
        return [{ found, remedy: 'require them of transitions.prod' }];
      }),
  },
  {
    id: 'evidence-outlives-approval',
    compares: '`transitions.*.evidenceValidHours` × `.approvalHours`',
    because:
      'The evidence would expire while people may still decide: who approves in time approves what cannot be committed.',
    find: (model) =>
      transitions(model).flatMap(({ path, rule }) => {
        const { approvals, evidenceValidHours, approvalHours } = rule;
        if (approvals.length === 0 || evidenceValidHours >= approvalHours) return [];
        const found = `${inPolicy(model, `${path}.evidenceValidHours`)}, and ${inPolicy(model, `${path}.approvalHours`)}`;
        return [{ found, remedy: `set approvalHours to ${evidenceValidHours} or less` }];
      }),
  },
  {
    id: 'approval-within-turn',
    compares: `\`transitions.*.approvalHours\` × the ${PATIENCE_HOURS} hours that a promotion waits for its turn`,
    because: `A promotion holds the model for its hours and ${WORK_HOURS} of work. What waits behind one that holds it longer is refused before its turn comes.`,
    find: (model) =>
      transitions(model).flatMap(({ path, rule }) => {
        const most = PATIENCE_HOURS - WORK_HOURS;
        if (rule.approvalHours <= most) return [];
        const found = `${inPolicy(model, `${path}.approvalHours`)}, and the next promotion waits ${PATIENCE_HOURS} hours (src/domain/promotion/durations.ts)`;
        return [{ found, remedy: `set approvalHours to ${most} or less` }];
      }),
  },
  ...CANARY_RULES,
  {
    id: 'roles-named-once',
    compares: '`activation`, `transitions.*.approvals`, `approvalsByLevel` × their roles',
    because:
      'Each person counts once: two entries of a role add up, and a model that raises one leaves it open which is meant.',
    find: (model) =>
      [
        { path: 'activation', approvals: model.policy.activation },
        ...transitions(model).flatMap(({ path, rule }) => [
          { path: `${path}.approvals`, approvals: rule.approvals },
          ...Object.entries(rule.approvalsByLevel ?? {}).map(([level, approvals]) => ({
            path: `${path}.approvalsByLevel.${level}`,
            approvals,
          })),
        ]),
      ].flatMap(({ path, approvals }) =>
        repeated(approvals).map((role) => ({
          found: `${inPolicy(model, path)} requires ${role} in two entries`,
          remedy: 'add their counts up in one entry',
        })),
      ),
  },
  {
    id: 'aggregates-see-labels',
    compares: '`features.eventDays`, `features.aggregateDays` × `labels.horizonDays`',
    because:
      'A label arrives after its horizon. Where `daily.sql` sees fewer days of events, no label ever meets its event, and every aggregate of labels is empty.',
    find(model) {
      const { features, labels } = model.definition;
      if (features.aggregateDays === 0 || features.eventDays >= (labels.horizonDays ?? 0)) return [];
      const found = `${inModel(model, 'features.eventDays')}, and ${inModel(model, 'labels.horizonDays')}`;
      return [{ found, remedy: `set features.eventDays to ${labels.matureAfterDays}, which is its default` }];
    },
  },
  {
    id: 'window-jobs',
    compares: '`windows` × the names of training jobs',
    because:
      'A job is named by the letters and digits of its window: two windows with the same ones would be one job, and the run fails.',
    find(model) {
      const names = Map.groupBy(model.definition.windows, ({ name }) => name.replaceAll(/[^a-zA-Z0-9]/g, ''));
      return [...names.values()].flatMap((same) => {
        const [one, other] = same.map(({ name }) => name);
        if (one === undefined || other === undefined) return [];
        const found = `windows has ${one} and ${other} (models/${model.definition.name}/model.ts), whose letters and digits are the same`;
        return [{ found, remedy: 'name one of them otherwise' }];
      });
    },
  },
];

function probations(model: DescribedModel) {
  return transitions(model).flatMap(({ path, rule: { probation } }) =>
    probation === undefined ? [] : [{ path: `${path}.probation`, probation }],
  );
}

/** A model may only shorten a probation, or give it up. */
function otherProbation(model: DescribedModel, path: string, days: number): string {
  return `set probation.days to ${days} or more in governance/policy.ts, or ${path} to null in ${own(model)}`;
}

function repeated(approvals: readonly ApprovalRule[]): readonly string[] {
  return [...Map.groupBy(approvals, ({ role }) => role)].filter(([, same]) => same.length > 1).map(([role]) => role);
}
