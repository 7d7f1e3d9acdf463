import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compileCard, compilePolicy } from '#model/compile-deployment.ts';
import { compileModel, compileModels } from '#model/compile.ts';
import type { ModelInput } from '#model/define-model.ts';
import { compileExpectations } from '#model/suites.ts';
import { canonicalJson, parseCanonical } from '#domain/canonical/digest.ts';
import { ModelDefinition } from '#domain/model/definition.ts';
import floor from '../../../governance/policy.ts';

const valid: ModelInput = {
  owner: 'risk',
  purpose: 'a test',
  events: {
    source: 'cards/events',
    id: 'payment_id',
    entity: 'card',
    time: 'paid_at',
    columns: { payment_id: 'VARCHAR', card: 'VARCHAR', paid_at: 'TIMESTAMP', amount: 'DOUBLE' },
  },
  labels: { source: 'cards/labels', value: 'fraud', arrivedAt: 'reported_at', matureAfterDays: 5 },
  features: { columns: ['amount', 'rate'], aggregateDays: 7 },
  training: { local: ['python', 'training/train.py'] },
  windows: { month: 28, all: { since: '2026-01-01' } },
  schedule: { cron: 'cron(0 6 ? * MON *)', timezone: 'UTC' },
  escalation: ['risk-lead'],
};

let root: string;
let count = 0;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'gatehouse-models-'));
});
afterAll(() => rm(root, { recursive: true }));

/** Each model has a folder of its own, because a module that was imported once is never read again. */
async function folderOf(
  source: unknown,
  without: 'sql' | 'training' | 'nothing' = 'nothing',
  name?: string,
): Promise<string> {
  const folder = join(root, name ?? `model-${String((count += 1))}`);
  await mkdir(join(folder, 'features'), { recursive: true });
  if (without !== 'training') await mkdir(join(folder, 'training'));
  if (without !== 'training') await writeFile(join(folder, 'training/train.py'), 'print()');
  if (without !== 'sql') await writeFile(join(folder, 'features/daily.sql'), 'select 1');
  await writeFile(join(folder, 'features/features.sql'), 'select 2');
  await writeFile(
    join(folder, 'model.ts'),
    typeof source === 'string' ? source : `export default ${JSON.stringify(source)};`,
  );
  return folder;
}

describe('compileModel', () => {
  it('fills in the defaults and hashes the files', async () => {
    const definition = await compileModel(await folderOf(valid));
    expect(ModelDefinition.parse(definition)).toEqual(definition);
    expect(definition.labels).toMatchObject({
      join: 'payment_id',
      columns: { payment_id: 'VARCHAR', fraud: 'BOOLEAN', reported_at: 'TIMESTAMP' },
    });
    expect(definition.features.eventDays).toBe(5);
    expect(definition.windows).toEqual([
      { name: 'month', days: 28 },
      { name: 'all', since: '2026-01-01' },
    ]);
  });

  it('takes event columns that were added later, with a default of each type and with none', async () => {
    const columns = {
      ...valid.events.columns,
      a: { type: 'VARCHAR', since: '2026-11-01', default: '' },
      b: { type: 'TIMESTAMP', since: '2026-11-01', default: '2026-01-01T00:00:00Z' },
      c: { type: 'DATE', since: '2026-11-01', default: '2026-01-01' },
      d: { type: 'BOOLEAN', since: '2026-11-01', default: false },
      e: { type: 'INTEGER', since: '2026-11-01', default: -1 },
      f: { type: 'BIGINT', since: '2026-11-01', default: Number.MAX_SAFE_INTEGER },
      g: { type: 'DOUBLE', since: '2026-11-01', default: 0.5 },
      h: { type: 'DOUBLE', since: '2026-11-01', default: null },
    } as const;
    const definition = await compileModel(await folderOf({ ...valid, events: { ...valid.events, columns } }));
    expect(definition.events.columns).toEqual(columns);
    expect(parseCanonical(ModelDefinition, canonicalJson(definition), 'definition.json')).toEqual(definition);
  });

  it('takes what a model that answers requests declares, and changes nothing of one that does not', async () => {
    expect(await compileModel(await folderOf(valid))).not.toHaveProperty('online');
    const context = [
      { column: 'card', of: ['card'], within: '2 hours' },
      { column: 'card', of: ['card', 'payment_id'], within: '1 minute' },
    ];
    const definition = await compileModel(await folderOf({ ...valid, online: { context, maxRows: 7 } }));
    expect(definition.online).toEqual({
      context: [
        { column: 'card', of: ['card'], withinMinutes: 120 },
        { column: 'card', of: ['card', 'payment_id'], withinMinutes: 1 },
      ],
      maxRows: 7,
      maxAggregateAgeDays: 2,
      pointerMaxAgeSeconds: 5,
    });
    expect(parseCanonical(ModelDefinition, canonicalJson(definition), 'definition.json')).toEqual(definition);
  });

  it('changes the code digest with the training files, but not with what Python leaves behind', async () => {
    const folder = await folderOf(valid);
    const before = (await compileModel(folder)).training.code;
    await mkdir(join(folder, 'training/__pycache__'));
    await writeFile(join(folder, 'training/__pycache__/train.cpython-312.pyc'), 'x');
    expect((await compileModel(folder)).training.code).toBe(before);
    await writeFile(join(folder, 'training/requirements.txt'), 'x');
    expect((await compileModel(folder)).training.code).not.toBe(before);
  });

  it('compiles the models of this repository', async () => {
    const models = await compileModels(join(import.meta.dirname, '../../../models'));
    expect(models.map((model) => model.name)).toContain('flight-delay');
  });

  const wrong: [string, object, RegExp | string][] = [
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
        [
          { type: 'DOUBLE', since: '2026-11-01', default: 'none' },
          'default: "none", allowed: a finite number, or null',
        ],
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
        [
          { type: 'TIMESTAMP', since: '2026-11-01', default: '2026-11-01' },
          'default: "2026-11-01", allowed: a UTC time',
        ],
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
  it.each(wrong)('refuses %s', async (_, change, message) => {
    await expect(compileModel(await folderOf({ ...valid, ...change }))).rejects.toThrow(message);
  });

  it('refuses a folder without a model, a program or an SQL file, and a model that cannot be imported', async () => {
    await expect(compileModel(join(root, 'nothing'))).rejects.toThrow(/models\/nothing\/model\.ts: no such file/);
    await expect(compileModel(await folderOf(valid, 'sql'))).rejects.toThrow(/features\.daily/);
    await expect(compileModel(await folderOf(valid, 'training'))).rejects.toThrow(/training: "training\/"/);
    await expect(compileModel(await folderOf('export default ;'))).rejects.toThrow(/model\.ts: cannot be imported/);
    await expect(compileModel(await folderOf('export const model = 1;'))).rejects.toThrow(/default export/);
    await expect(compileModel(await folderOf(valid, 'nothing', 'Upper'))).rejects.toThrow(
      /name: "Upper", allowed: lower-case/,
    );
  });
});

describe('compileCard', () => {
  it('reads what a model’s people say of it, where they do', async () => {
    const folder = await folderOf(valid);
    expect(await compileCard(folder)).toEqual({});
    const card = { intendedUse: ['to be tried'], limits: ['it is made up'] };
    await writeFile(join(folder, 'card.ts'), `export default ${JSON.stringify(card)};`);
    expect(await compileCard(folder)).toEqual({ card });
  });

  it('names the field that is wrong', async () => {
    const folder = await folderOf(valid);
    await writeFile(join(folder, 'card.ts'), `export default { intendedUse: 'a sentence', limits: [] };`);
    await expect(compileCard(folder)).rejects.toThrow(/models\/model-\d+\/card\.ts is not valid: intendedUse: .*array/);
  });

  it('names a heading that it does not know, and the nearest known one', async () => {
    const folder = await folderOf(valid);
    await writeFile(join(folder, 'card.ts'), `export default { intendedUse: ['a'], limits: ['b'], ethic: ['c'] };`);
    await expect(compileCard(folder)).rejects.toThrow('(root): no field ethic; did you mean ethics?');
  });

  it('compiles those of this repository', async () => {
    const { card } = await compileCard(join(import.meta.dirname, '../../../models/flight-delay'));
    expect(card?.limits.join(' ')).toContain('5,817');
  });
});

describe('compilePolicy', () => {
  it.each([
    [{ comparision: { minimumDays: 14 } }, '(root): no field comparision; did you mean comparison?'],
    [{ comparison: { minimumDay: 14 } }, 'comparison: no field minimumDay; did you mean minimumDays?'],
    [{ comparison: { slices: { colums: ['a'] } } }, 'comparison.slices: no field colums; did you mean columns?'],
    [{ comparison: { guards: { brierr: 0.01 } } }, 'comparison.guards: no field brierr; did you mean brier?'],
    [{ comparison: { provisional: { tolerence: 0 } } }, 'comparison.provisional: no field tolerence; did you mean'],
    [{ data: { leakageAUC: 0.7 } }, 'data: no field leakageAUC; did you mean leakageAuc?'],
    [{ data: { rowCounts: { weeks: 9 } } }, 'data.rowCounts: no field weeks'],
    [{ drift: { stabel: ['amount'] } }, 'drift: no field stabel; did you mean stable?'],
    [{ transitions: { prd: {} } }, 'transitions: no field prd; did you mean prod?'],
    [{ transitions: { prod: { aprovals: [] } } }, 'transitions.prod: no field aprovals; did you mean approvals?'],
    [{ transitions: { prod: { probation: { fast: { hour: 1 } } } } }, 'transitions.prod.probation.fast: no field hour'],
    [{ transitions: { hotfix: { approvalHour: 1 } } }, 'transitions.hotfix: no field approvalHour'],
    [{ activation: [{ role: 'risk', cout: 2 }] }, 'activation.0: no field cout; did you mean count?'],
    [{ comparison: { minimumDays: '14' } }, 'comparison.minimumDays: Invalid input: expected number'],
  ])('refuses %j, whose tightening would never exist', async (own, found) => {
    const folder = await folderOf(valid);
    await writeFile(join(folder, 'policy.ts'), `export default ${JSON.stringify(own)};`);
    await expect(compilePolicy(folder, floor)).rejects.toThrow(/models\/model-\d+\/policy\.ts is not valid: /);
    await expect(compilePolicy(folder, floor)).rejects.toThrow(found);
  });
});

describe('compileExpectations', () => {
  const unique = { type: 'expect_column_values_to_be_unique', kwargs: { column: 'a' }, meta: { notes: 'why' } };
  const suite = { name: 'events', meta: { great_expectations_version: '1.24.1' }, expectations: [unique] };
  const of = (...expectations: readonly object[]): string => JSON.stringify({ ...suite, expectations }, null, 1);
  const wrong: readonly (readonly [string, string, string])[] = [
    ['broken JSON', '{\n "name": "events",\n}', '3: no JSON: Expected double-quoted property name'],
    ['half a file', '{\n "name": "events",\n "expectations": [', '3: no JSON: Unexpected end of JSON input'],
    [
      'a key that is there twice',
      '{\n "name": "a",\n "name": "b",\n "expectations": []\n}',
      '3: Map keys must be unique',
    ],
    [
      'a field that nobody reads',
      `{\n "expectatons": [],\n "name": "a"\n}`,
      '2: (root): no field expectatons; did you mean expectations?',
    ],
    ['parameters', `{"suite_parameters": {}, "name": "a", "expectations": []}`, '1: (root): no field suite_parameters'],
    ['mostly beside kwargs', of({ ...unique, mostly: 0.9 }), '15: expectations.0: no field mostly'],
    ['no expectation', of(), 'Too small'],
    [
      'an unknown expectation',
      of(unique, { type: 'expect_column_values_to_be_betwen', kwargs: { column: 'a' } }),
      '17: Great Expectations 1.24.1 has no expect_column_values_to_be_betwen; did you mean expect_column_values_to_be_between?',
    ],
    [
      'an expectation of a database',
      of({ type: 'expect_column_values_to_match_like_pattern', kwargs: { column: 'a', like_pattern: 'x%' } }),
      'expect_column_values_to_match_like_pattern does not run on pandas',
    ],
    [
      'an unknown argument',
      of({ type: 'expect_column_values_to_be_between', kwargs: { column: 'a', minimum: 0, max_value: 2 } }),
      '11: expect_column_values_to_be_between: kwargs: no field minimum; there are: ',
    ],
    [
      'a misspelled argument and a missing one',
      of({ type: 'expect_column_values_to_be_unique', kwargs: { colum: 'a' } }),
      'kwargs has no column, which is required\nmodels/NAME/expectations/events.json:10: expect_column_values_to_be_unique: kwargs: no field colum; did you mean column?',
    ],
    [
      'a share above one',
      of({ ...unique, kwargs: { column: 'a', mostly: 5 } }),
      'mostly is 5; it takes a number from 0 to 1',
    ],
    [
      'a bound that is a text',
      of({ type: 'expect_column_values_to_be_between', kwargs: { column: 'a', min_value: 'low' } }),
      'min_value is "low"; it takes a number or a date',
    ],
    ['a column that is a number', of({ ...unique, kwargs: { column: 3 } }), 'column is 3; it takes a text'],
    [
      'a word that is none of those known',
      of({ type: 'expect_compound_columns_to_be_unique', kwargs: { column_list: ['a', 'b'], ignore_row_if: 'no' } }),
      'ignore_row_if is "no"; it takes all_values_are_missing or any_value_is_missing or never',
    ],
  ];
  it.each(wrong)('refuses %s by file and line', async (_, text, found) => {
    const folder = await folderOf(valid);
    await mkdir(join(folder, 'expectations'));
    const file = join(folder, 'expectations/events.json');
    await writeFile(file, JSON.stringify(suite));
    expect(compileExpectations(folder).events).toContain('expect_column_values_to_be_unique');
    await writeFile(file, text);
    expect(() => compileExpectations(folder)).toThrow(/^models\/model-\d+\/expectations\/events\.json:\d+: /);
    expect(() => compileExpectations(folder)).toThrow(found.replace('NAME', basename(folder)));
  });

  it.each([
    [
      'a condition as the package writes it',
      { ...unique, kwargs: { column: 'a', row_condition: { type: 'pass_through', pass_through_filter: 'b > 5' } } },
    ],
    [
      'types, which it evaluates on pandas',
      { type: 'expect_column_values_to_be_in_type_list', kwargs: { column: 'a', type_list: ['int64'] } },
    ],
  ])('takes %s', async (_, expectation) => {
    const folder = await folderOf(valid);
    await mkdir(join(folder, 'expectations'));
    await writeFile(join(folder, 'expectations/events.json'), of(expectation));
    expect(compileExpectations(folder).events).toContain(expectation.type);
  });

  it('refuses a suite whose file nobody reads', async () => {
    const folder = await folderOf(valid);
    await mkdir(join(folder, 'expectations'));
    await writeFile(join(folder, 'expectations/event.json'), JSON.stringify(suite));
    expect(() => compileExpectations(folder)).toThrow(
      'event.json: no suite of this name is read; did you mean events.json?',
    );
  });
});
