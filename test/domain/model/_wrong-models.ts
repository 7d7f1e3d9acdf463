import { valid } from './_compile.ts';

/** What is wrong with a model, the change that makes it so, and what is said. */
export const WRONG_MODELS: readonly [string, object, RegExp | string][] = [
  [
    'a time that is no column',
    { events: { ...valid.events, time: 'when' } },
    /models\/model-\d+\/model\.ts: events\.time: "when", allowed: one of payment_id, card/,
  ],
  [
    'a time of another type',
    { events: { ...valid.events, time: 'amount' } },
    /events\.columns\.amount: "DOUBLE", allowed: TIMESTAMP/,
  ],
  [
    'an unknown column type',
    { events: { ...valid.events, columns: { ...valid.events.columns, amount: 'MONEY' } } },
    /events\.columns\.amount: "MONEY", allowed: one of VARCHAR, TIMESTAMP/,
  ],
  ...(
    [
      [{ type: 'DOUBLE', since: '2026-11-01', default: 'none' }, 'default: "none", allowed: a finite number, or null'],
      [{ type: 'DOUBLE', since: '2026-11-01' }, 'default: undefined, allowed: a finite number, or null'],
      [{ type: 'INTEGER', since: '2026-11-01', default: 0.5 }, 'default: 0.5, allowed: a whole number of 32 bits'],
      [
        { type: 'INTEGER', since: '2026-11-01', default: 2 ** 31 },
        'default: 2147483648, allowed: a whole number of 32',
      ],
      [
        { type: 'BIGINT', since: '2026-11-01', default: 2 ** 60 },
        'default: 1152921504606847000, allowed: a whole number',
      ],
      [{ type: 'BOOLEAN', since: '2026-11-01', default: 0 }, 'default: 0, allowed: true, false or null'],
      [{ type: 'VARCHAR', since: '2026-11-01', default: 0 }, 'default: 0, allowed: a text'],
      [{ type: 'DATE', since: '2026-11-01', default: '1 March' }, 'default: "1 March", allowed: a day such as'],
      [{ type: 'TIMESTAMP', since: '2026-11-01', default: '2026-11-01' }, 'default: "2026-11-01", allowed: a UTC time'],
      [{ type: 'DOUBLE', since: '2026-11-31', default: 0 }, 'since: "2026-11-31", allowed: the first UTC day'],
      [{ type: 'DOUBLE', default: 0 }, 'since: undefined, allowed: the first UTC day'],
      [
        { type: 'MONEY', since: '2026-11-01', default: 0 },
        'type: "MONEY", allowed: { type, since, default } with a type of',
      ],
      [
        { type: 'DOUBLE', since: '2026-11-01', default: 0, defualt: 1 },
        ': {"defualt":1}, allowed: no field defualt; did you mean default?',
      ],
    ] as const
  ).map(([fee, found]): [string, object, string] => [
    `a later column ${JSON.stringify(fee)}`,
    { events: { ...valid.events, columns: { ...valid.events.columns, fee } } },
    `events.columns.fee${found.startsWith(':') ? '' : '.'}${found}`,
  ]),
  ...(['id', 'entity', 'time'] as const).map((role): [string, object, RegExp] => {
    const column = valid.events[role];
    const later = { type: valid.events.columns[column], since: '2026-11-01', default: null };
    return [
      `a later column as the ${role}`,
      { events: { ...valid.events, columns: { ...valid.events.columns, [column]: later } } },
      new RegExp(`events\\.columns\\.${column}: \\{.*since: a row is known by its ${role}, and has one on each day`),
    ];
  }),
  [
    'a column of labels that was added later',
    {
      labels: {
        ...valid.labels,
        columns: {
          payment_id: 'VARCHAR',
          fraud: 'BOOLEAN',
          reported_at: 'TIMESTAMP',
          kind: { type: 'VARCHAR', since: '2026-11-01', default: null },
        },
      },
    },
    /labels\.columns\.kind: \{.*allowed: a type only: what a label did not say when it arrived cannot be filled in/,
  ],
  ...(
    [
      [{ column: 'cart', of: ['card'], within: '1 hour' }, 'column: "cart", allowed: one of payment_id, card,'],
      [{ column: 'card', of: ['card', 'shop'], within: '1 hour' }, 'of.1: "shop", allowed: one of payment_id, card,'],
      [
        { column: 'card', of: ['amount'], within: '1 hour' },
        'of.0: "amount", allowed: a column of the type of card, VARCHAR',
      ],
      [{ column: 'card', of: [], within: '1 hour' }, 'of: [], allowed: '],
      [
        { column: 'card', of: ['card'], within: '2h' },
        'within: "2h", allowed: whole minutes or hours, at most 48 hours',
      ],
      [{ column: 'card', of: ['card'], within: 120 }, 'within: 120, allowed: whole minutes or hours'],
      [{ column: 'card', of: ['card'], within: '49 hours' }, 'within: "49 hours", allowed: whole minutes or hours'],
      [{ column: 'card', of: ['card'] }, 'within: undefined, allowed: whole minutes or hours'],
    ] as const
  ).map(([rule, found]): [string, object, string] => [
    `a context ${JSON.stringify(rule)}`,
    { online: { context: [rule] } },
    `online.context.0.${found}`,
  ]),
  ['a context that is no list', { online: { context: 'all' } }, 'online.context: "all", allowed: '],
  ['requests without a context', { online: {} }, 'online.context: undefined, allowed: '],
  ['requests of no rows', { online: { context: [], maxRows: 0 } }, 'online.maxRows: 0, allowed: '],
  ['an unknown option of requests', { online: { context: [], rows: 5 } }, 'no field rows'],
  [
    'an upper-case column',
    { events: { ...valid.events, columns: { ...valid.events.columns, Amount: 'DOUBLE' } } },
    /events\.columns\.Amount/,
  ],
  [
    'a label that arrives before its horizon is over',
    { labels: { ...valid.labels, horizonDays: 30 } },
    /labels\.horizonDays: 30, allowed: at most labels\.matureAfterDays, 5/,
  ],
  [
    'a join of another type',
    { labels: { ...valid.labels, columns: { payment_id: 'BIGINT', fraud: 'BOOLEAN', reported_at: 'TIMESTAMP' } } },
    /labels\.columns\.payment_id: "BIGINT", allowed: VARCHAR/,
  ],
  [
    'a label that is no BOOLEAN',
    { labels: { ...valid.labels, columns: { payment_id: 'VARCHAR', fraud: 'INTEGER', reported_at: 'TIMESTAMP' } } },
    /labels\.columns\.fraud: "INTEGER", allowed: BOOLEAN/,
  ],
  [
    'a label without its columns',
    { labels: { ...valid.labels, columns: { payment_id: 'VARCHAR', fraud: 'BOOLEAN' } } },
    /labels\.arrivedAt: "reported_at", allowed: one of payment_id, fraud/,
  ],
  [
    'the label among the events',
    { events: { ...valid.events, columns: { ...valid.events.columns, fraud: 'BOOLEAN' } } },
    /events\.columns: "fraud"/,
  ],
  ...['a#b', '50%', '..', '.', 'Q1/2024', 'été', 'a b', '-a', 'a?', 'a\\b', ''].map(
    (name): [string, object, RegExp] => [
      `a window called '${name}', which no key or job can have in its name`,
      { windows: { [name]: 28, all: { since: '2026-01-01' } } },
      /windows\.0.*letters and digits, joined by/,
    ],
  ),
  ...[
    '/cards',
    'cards/',
    'cards//events',
    '../events',
    'cards/./events',
    'cards/ev*',
    'cards/été',
    'c'.repeat(501),
  ].map((source): [string, object, RegExp] => [
    `events in the prefix '${source.slice(0, 20)}'`,
    { events: { ...valid.events, source } },
    /events\.source/,
  ]),
  ...['a/_READY', '..', 'done.parquet', 'fer tig'].map((readyMarker): [string, object, RegExp] => [
    `a marker called '${readyMarker}'`,
    { labels: { ...valid.labels, readyMarker } },
    /labels\.readyMarker/,
  ]),
  ...[
    { '': '1' },
    { rate: 'a\nb' },
    { rate: 'x'.repeat(2501) },
    Object.fromEntries(Array.from({ length: 101 }, (_, index) => [`p${index}`, '1'])),
  ].map((hyperparameters, index): [string, object, RegExp] => [
    `hyperparameters that SageMaker refuses (${index})`,
    { training: { ...valid.training, hyperparameters } },
    /training\.hyperparameters/,
  ]),
  ['an instance that is none', { training: { ...valid.training, instanceType: 'ml.' } }, /training\.instanceType/],
  ['an owner in two lines', { owner: 'risk\nteam' }, /owner/],
  [
    'a day of the month that there is not',
    { schedule: { ...valid.schedule, cron: 'cron(0 6 45W * ? *)' } },
    /schedule\.cron.*day of month is '45W'/,
  ],
  [
    'one prefix for both sources',
    { labels: { ...valid.labels, source: 'cards/events' } },
    /labels\.source: "cards\/events"/,
  ],
  [
    'a feature that is the id',
    { features: { ...valid.features, columns: ['payment_id'] } },
    /features\.columns\.0: "payment_id", allowed: a name other than/,
  ],
  [
    'a feature that is the label',
    { features: { ...valid.features, columns: ['amount', 'fraud'] } },
    /features\.columns\.1: "fraud"/,
  ],
  [
    'a feature named twice',
    { features: { ...valid.features, columns: ['amount', 'amount'] } },
    /features\.columns\.1: "amount", allowed: each name once/,
  ],
  [
    'an id called day, as the day of a row that is trained on is',
    { events: { ...valid.events, id: 'day', columns: { ...valid.events.columns, day: 'VARCHAR' } } },
    /events\.id: "day"/,
  ],
  [
    'an unknown field',
    { features: { ...valid.features, lookback: 3 } },
    /features: \{"lookback":3\}, allowed: no field lookback; there are: daily, features, columns, /,
  ],
  ...(
    [
      [{ onwer: 'risk' }, 'owner'],
      [{ events: { ...valid.events, tme: 'paid_at' } }, 'time'],
      [{ labels: { ...valid.labels, matureAfterDay: 5 } }, 'matureAfterDays'],
      [{ training: { ...valid.training, hyperparameter: {} } }, 'hyperparameters'],
      [{ evaluation: { testDay: 14 } }, 'testDays'],
      [{ predictions: { lookUp: true } }, 'lookup'],
      [{ schedule: { ...valid.schedule, timeZone: 'UTC' } }, 'timezone'],
      [{ sla: { predictionsWithinHours: 3, predictionWithinHour: 3 } }, 'predictionsWithinHours'],
    ] as const
  ).map(([change, nearest]): [string, object, RegExp] => [
    `an unknown field, where ${nearest} is known`,
    change,
    new RegExp(`: \\{.*\\}, allowed: no field \\w+; did you mean ${nearest}\\?`),
  ]),
  ...[{ deep: { rate: 1 } }, { rate: null }, { rate: [1] }, { rate: Number.NaN }].map(
    (hyperparameters): [string, object, RegExp] => [
      `hyperparameters that are no text: ${JSON.stringify(hyperparameters)}`,
      { training: { ...valid.training, hyperparameters } },
      /training\.hyperparameters\.\w+: .*expected string/,
    ],
  ),
  [
    'a digest of the code that somebody wrote',
    { training: { ...valid.training, code: `sha256:${'0'.repeat(64)}` } },
    /training\.code: .*no field code/,
  ],
  ['no growing window', { windows: { month: 28 } }, /windows: \["month"\], allowed: at least one window that grows/],
  [
    'a window of no days',
    { windows: { none: 0, all: { since: '2026-01-01' } } },
    /windows\.0\.days: 0, allowed: .*>=1/,
  ],
  [
    'a cron of five fields',
    { schedule: { cron: 'cron(0 6 * * MON)', timezone: 'UTC' } },
    /schedule\.cron: "cron\(0 6 \* \* MON\)", allowed: expected cron/,
  ],
  [
    'an unknown time zone',
    { schedule: { cron: 'rate(1 day)', timezone: 'Mars/Olympus' } },
    /schedule\.timezone: "Mars\/Olympus", allowed: an IANA time zone/,
  ],
  [
    'an image by tag',
    { training: { ...valid.training, image: 'trainer:latest' } },
    /training\.image: "trainer:latest", allowed: an image is named by digest/,
  ],
  [
    'an SQL file that is missing',
    { features: { ...valid.features, daily: 'features/none.sql' } },
    /features\.daily: "features\/none\.sql", allowed: a file of models/,
  ],
  ['another name than the folder', { name: 'other' }, /name: "other", allowed: the folder's name/],
  ['no events', { events: undefined }, /events: undefined/],
];
