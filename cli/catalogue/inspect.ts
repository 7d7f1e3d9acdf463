import type { CommandSpec } from './spec.ts';

const group = 'Inspect:';

/** What there is, and whether it is right. */
export const INSPECT: readonly CommandSpec[] = [
  {
    name: 'release list',
    group,
    nounSummary: 'registered releases',
    args: '[model]',
    summary: 'the registered releases with version, stage and where they are',
    examples: ['release list', 'release list flight-delay -o yaml'],
    load: () => import('../commands/release/list.ts'),
  },
  {
    name: 'release show',
    group,
    args: '<release>',
    summary: 'a release: manifest, registration, stage, and each promotion of it',
    options: [
      [
        '--report',
        'its evaluation report: writes the page to a file and opens it in a terminal; -o json prints the data',
      ],
      ['--out <file>', 'with --report: where to; default: .gatehouse/reports/<model>-<version>.html'],
      ['--no-open', 'with --report: write the page, and open nothing'],
    ],
    examples: ['release show flight-delay@1.4.2', 'release show flight-delay@1.4.2 --report'],
    load: () => import('../commands/release/show.ts'),
  },
  {
    name: 'release compare',
    group,
    summary: 'judge two files of predictions by the rule that the gate uses; Parquet or CSV, no account needed',
    required: [
      ['--labels <file>', 'row_id, label (0 or 1), cluster (the day, as a rule) and, if you like, slice'],
      ['--champion <file>', 'row_id, prediction (a probability): what is served now'],
      ['--candidate <file>', 'row_id, prediction: what might take its place'],
    ],
    options: [
      [
        '--policy <file>',
        'models/<name>/policy.ts, or JSON with values of the comparison rule that differ from the floor; default: the floor',
      ],
    ],
    examples: ['release compare --labels labels.parquet --champion a.parquet --candidate b.csv -o json'],
    load: () => import('../commands/release/compare.ts'),
  },
  {
    name: 'release reproduce',
    group,
    args: '<release>',
    summary: 'make a release again from what its manifest names, in a clean folder, and compare the digests',
    options: [['--out <folder>', 'where to; default: .gatehouse/reproduce/<release>']],
    examples: ['release reproduce flight-delay@0.1.1', 'release reproduce sha256:3f2a91c0 -o json'],
    load: () => import('../commands/release/reproduce/reproduce.ts'),
  },
  {
    name: 'policy show',
    group,
    nounSummary: 'the rules by which a model is promoted',
    args: '<model>',
    summary: "each rule beside the organisation's floor, where the policy is in force, and who wants it to be",
    examples: ['policy show flight-delay', 'policy show flight-delay -o json'],
    load: () => import('../commands/policy/show.ts'),
  },
  {
    name: 'policy diff',
    group,
    args: '<model>',
    summary: 'what the policy of the files changes of the one in force, and how past promotions would fare under it',
    examples: ['policy diff flight-delay --env prod'],
    load: () => import('../commands/policy/diff.ts'),
  },
  {
    name: 'policy activate',
    group,
    args: '<model>',
    summary: 'vote, as the signed-in user, to activate the deployed policy; the active policy names the required roles',
    options: [
      ['--role <role>', 'the role in which you vote, if you have several'],
      ['--comment <text>', 'why, for the audit trail'],
    ],
    examples: ['policy activate flight-delay --env prod --role risk --comment "as agreed in June"'],
    load: () => import('../commands/policy/activate.ts'),
  },
  {
    name: 'prediction plan',
    group,
    nounSummary: 'published predictions and their reconciliation',
    args: '<model>',
    summary: 'what a batch run would do now: none, partial or full, with reasons, rows, time and cost; changes nothing',
    options: [['--dry-run', 'what this command does in any case']],
    examples: ['prediction plan flight-delay --env prod'],
    load: () => import('../commands/prediction/plan.ts'),
  },
  {
    name: 'prediction run',
    group,
    args: '<model>',
    summary: 'start a batch run',
    options: [['--dry-run', 'show what it would do, as prediction plan does, and start nothing']],
    examples: ['prediction run flight-delay --env prod', 'prediction run flight-delay --env prod --dry-run'],
    load: () => import('../commands/prediction/run.ts'),
  },
  {
    name: 'prediction show',
    group,
    args: '<model>',
    summary: 'the published partitions: which release made them, from which features, when',
    options: [
      ['--day <day>', 'one partition, compared with the release that is served'],
      ['--release <release>', 'with --day: the release that the reader means: model@1.2.3 or sha256:<digest>'],
    ],
    examples: [
      'prediction show flight-delay --env prod',
      'prediction show flight-delay --env prod --day 2001-06-03 --release flight-delay@1.4.2',
    ],
    load: () => import('../commands/prediction/show.ts'),
  },
  {
    name: 'prediction get',
    group,
    args: '<model> <entity>',
    summary: 'the published predictions of one entity, by look-up; for models whose predictions.lookup is true',
    options: [
      ['--day <day>', 'of one day only'],
      [
        '--release <release>',
        'the release that the reader means, if not the served one: model@1.2.3 or sha256:<digest>',
      ],
    ],
    examples: ['prediction get card-fraud card-0042 --env prod'],
    load: () => import('../commands/prediction/get.ts'),
  },
  {
    name: 'prediction export',
    group,
    args: '<model>',
    summary: 'write the published predictions of some days, of one release, as one Parquet or CSV file',
    required: [
      ['--from <day>', 'the first day'],
      ['--to <day>', 'the last day'],
      ['--out <file>', 'the file to write: *.parquet or *.csv'],
    ],
    options: [['--release <release>', 'the release that the reader means, if not the served one']],
    examples: [
      'prediction export flight-delay --env prod --from 2001-05-01 --to 2001-05-31 --out may.parquet',
      'prediction export flight-delay --env prod --from 2001-06-03 --to 2001-06-03 --out day.csv',
    ],
    load: () => import('../commands/prediction/export.ts'),
  },
  {
    name: 'prediction blast-radius',
    group,
    args: '<model>',
    summary: 'the partitions and rows that a release wrote: those that readers still see, and those it ever published',
    required: [['--release <release>', 'model@1.2.3 or sha256:<digest>']],
    examples: ['prediction blast-radius flight-delay --env prod --release flight-delay@1.4.2'],
    load: () => import('../commands/prediction/blast-radius.ts'),
  },
];
