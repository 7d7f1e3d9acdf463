import type { CommandSpec } from './spec.ts';

const group = 'Build:';

/** What people do to make a model and to train it. */
export const BUILD: readonly CommandSpec[] = [
  {
    name: 'model new',
    group,
    nounSummary: 'make and try a model on a laptop, without any account',
    args: '<name>',
    summary: 'make the folder of a new model from a template that trains as it is',
    options: [['--sample', 'write generated data for it as well, into data/<name>']],
    examples: ['model new churn', 'model new churn --sample'],
    load: () => import('../commands/model/new.ts'),
  },
  {
    name: 'model check',
    group,
    args: '[names...]',
    summary: 'check definitions, policies, suites and SQL without data, and with files their data',
    options: [
      ['--events <files...>', 'event files, one per day (dt=YYYY-MM-DD in the path): judge them as the pipeline would'],
      [
        '--labels <files...>',
        'label files: judge the training rows as well, and whether an online model’s context suffices',
      ],
    ],
    examples: [
      'model check',
      'model check churn',
      'model check churn --events landing/events/dt=*/*.parquet --labels landing/labels/dt=*/*.parquet',
    ],
    load: () => import('../commands/model/check.ts'),
  },
  {
    name: 'model features',
    group,
    args: '<name>',
    summary: 'run the feature SQL on local Parquet files by day, and count what labels and events lose',
    required: [
      ['--events <files...>', 'event files'],
      ['--labels <files...>', 'label files'],
    ],
    options: [
      ['--day <day>', 'only the features of this day; default: the newest day of events'],
      ['--out <folder>', 'where the Parquet files go; default: .gatehouse/features/<name>'],
    ],
    examples: ['model features churn --events landing/events/dt=*/*.parquet --labels landing/labels/dt=*/*.parquet'],
    load: () => import('../commands/model/features.ts'),
  },
  {
    name: 'model train',
    group,
    args: '<name>',
    summary:
      'build features of local files and run the training program on the rows of each window, under the container contract',
    required: [
      ['--events <files...>', 'event files'],
      ['--labels <files...>', 'label files'],
    ],
    options: [
      ['--as-of <day>', 'logical time: nothing that arrived later is seen; default: the day after the newest events'],
      ['--out <folder>', 'where rows and models go, a folder per window; default: .gatehouse/train/<name>'],
    ],
    examples: ['model train churn --events landing/events/dt=*/*.parquet --labels landing/labels/dt=*/*.parquet'],
    load: () => import('../commands/model/train.ts'),
  },
  {
    name: 'model evaluate',
    group,
    args: '<name>',
    summary: 'run the whole retraining on local files, without a cloud, by the state machines that are deployed',
    required: [
      ['--events <files...>', 'event files, by the dt=YYYY-MM-DD of their paths'],
      ['--labels <files...>', 'label files, by the day on which the labels arrived'],
    ],
    options: [
      ['--as-of <day>', 'logical time: nothing that arrived later is seen; default: the day after the newest events'],
      [
        '--against <release>',
        'what to compare with: baseline, model@version or digest of dev, or the digest that an earlier evaluation printed',
        'baseline',
      ],
      ['--out <file>', 'where the evaluation report goes; default: .gatehouse/evaluate/<name>/report.html'],
    ],
    examples: [
      'model evaluate churn --events data/events/dt=*/*.parquet --labels data/labels/dt=*/*.parquet',
      'model evaluate churn --events data/events/dt=*/*.parquet --labels data/labels/dt=*/*.parquet --as-of 2026-03-01 --against churn@1.2.0',
    ],
    load: () => import('../commands/model/evaluate/evaluate.ts'),
  },
  {
    name: 'data list',
    group,
    nounSummary: 'partitions of events and labels',
    args: '<model>',
    summary: 'the admitted partitions of a model, and landed days that wait for their ready marker',
    options: [['--kind <kind>', 'events or labels; default: both']],
    examples: ['data list flight-delay --env dev', 'data list flight-delay --kind labels --env prod'],
    load: () => import('../commands/data/list.ts'),
  },
  {
    name: 'data check',
    group,
    args: '<model>',
    summary: 'gaps, days whose labels are due, corrections, and what the suites of expectations said',
    examples: ['data check flight-delay', 'data check flight-delay --env prod'],
    load: () => import('../commands/data/check.ts'),
  },
  {
    name: 'data put',
    group,
    args: '<model>',
    summary: 'land your own files: each day’s files, then its ready marker; what is there already stays',
    options: [
      ['--events <files...>', 'event files, by the dt=YYYY-MM-DD of their paths'],
      ['--labels <files...>', 'label files, by the day on which the labels arrived'],
      ['--replace', 'take other files of these days out of the landing bucket'],
    ],
    examples: [
      'data put churn --env dev --events events/dt=*/*.parquet --labels labels/dt=*/*.parquet',
      'data put churn --env dev --events corrected/dt=2026-03-01/*.parquet --replace',
    ],
    load: () => import('../commands/data/put.ts'),
  },
  {
    name: 'data import',
    group,
    args: '<model>',
    summary: 'send what lies in the landing bucket to admission again, or replay the model’s own history',
    options: [
      ['--replay', 'run models/<model>/replay.ts'],
      ['--until <day>', 'with --replay: up to the beginning of this day'],
      ['--sample <fraction>', 'with --replay: a deterministic fraction of the rows'],
    ],
    examples: ['data import churn --env dev', 'data import flight-delay --env dev --replay --until 2001-04-01'],
    load: () => import('../commands/data/import.ts'),
  },
  {
    name: 'run start',
    group,
    nounSummary: 'runs of the machines',
    args: '<model>',
    summary: 'start now what begins by the clock: a retraining, or another machine',
    options: [
      [
        '--machine <machine>',
        'retraining, data-quality (dev), probation, drift, rollback-readiness (prod, staging) or release-tests (staging); default: retraining',
      ],
      ['--as-of <day>', 'logical time: nothing that arrived later is seen; default: the day after the newest events'],
    ],
    examples: [
      'run start flight-delay',
      'run start flight-delay --as-of 2001-04-02 --no-wait',
      'run start flight-delay --machine probation --env prod',
    ],
    load: () => import('../commands/run/start.ts'),
  },
  {
    name: 'run list',
    group,
    args: '<model>',
    summary: 'the runs of a model, newest first',
    examples: ['run list flight-delay', 'run list flight-delay --env prod'],
    load: () => import('../commands/run/list.ts'),
  },
  {
    name: 'run show',
    group,
    args: '<model> <run>',
    summary: 'what a run recorded: status, candidates, conclusion',
    examples: ['run show flight-delay flight-delay-2001-04-02-manual-1a2b3c4d'],
    load: () => import('../commands/run/show.ts'),
  },
  {
    name: 'run logs',
    group,
    args: '<model> <run>',
    summary: 'each state that a run went through, with its time and what failed',
    options: [['--machine <machine>', 'the state machine that ran; default: what the run recorded']],
    examples: ['run logs flight-delay flight-delay-2001-04-02-manual-1a2b3c4d'],
    load: () => import('../commands/run/logs.ts'),
  },
  {
    name: 'run watch',
    group,
    args: '<model> <run>',
    summary: 'follow a run until it ends',
    options: [['--machine <machine>', 'the state machine that runs; default: what the run recorded']],
    examples: ['run watch flight-delay flight-delay-2001-04-02-manual-1a2b3c4d'],
    load: () => import('../commands/run/watch.ts'),
  },
];
