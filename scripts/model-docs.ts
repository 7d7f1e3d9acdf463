// What a model's `model.ts` may say, for docs/model-reference.md: the meanings stand here, what is allowed is read from the schema.
import { z } from 'zod';
import { ModelDefinition } from '#domain/model/definition.ts';
import { DURATION, type ModelInput } from '#model/define-model.ts';

type Leaf = string | number | boolean | readonly unknown[];
/** The paths of all options of a type; the names within a record are `*`. */
type PathsOf<T> = string extends keyof T
  ? Under<'*', T[string & keyof T]>
  : { [K in keyof T & string]-?: Under<K, NonNullable<T[K]>> }[keyof T & string];
type Under<K extends string, V> = V extends readonly (infer E extends object)[]
  ? `${K}.*.${PathsOf<E>}`
  : V extends Leaf
    ? K
    : `${K}.${PathsOf<V>}`;

/** An option: what it is, and what holds where it is left out. */
interface Option {
  readonly means: string;
  readonly unless: { readonly required: true } | { readonly default: unknown } | { readonly derived: string };
  /** Where the compiled definition's schema has it, if not under its own path. */
  readonly schema?: string;
}

const required = { required: true } as const;

/** Every option that `defineModel` takes; the type has each of them, so that none can be without a row. */
export const OPTIONS: Readonly<Record<PathsOf<ModelInput>, Option>> = {
  name: { means: 'The model’s name: its folder’s, part of resource names.', unless: { derived: 'the folder’s name' } },
  owner: { means: 'The team that answers for it; stands in registrations and lists.', unless: required },
  purpose: { means: 'What is predicted, for whom, and what they do with it.', unless: required },
  'events.source': {
    means: 'Prefix of the landing bucket: a day is `<source>/dt=YYYY-MM-DD/*.parquet`, its UTC day.',
    unless: required,
  },
  'events.readyMarker': {
    means: 'Name of the object that is written after a day’s files: only then the day is admitted.',
    unless: { default: '_READY' },
  },
  'events.id': {
    means: 'Column that names an event, once in a day: VARCHAR, BIGINT or INTEGER; not `day`.',
    unless: required,
  },
  'events.entity': {
    means: 'Column of whom or what the event is about; predictions are looked up by it. Not `partition`.',
    unless: required,
  },
  'events.time': { means: 'TIMESTAMP column (UTC) that says when; within the day of its partition.', unless: required },
  'events.columns.*': {
    means: 'The columns that SQL sees, with their types; others in the files are ignored. Not the label.',
    unless: required,
  },
  'events.columns.*.type': {
    means: 'The type, of a column that was added later; not of id, entity or time.',
    unless: required,
  },
  'events.columns.*.since': {
    means: 'First UTC day whose files must have that column; those of earlier days may lack it.',
    unless: required,
  },
  'events.columns.*.default': {
    means: 'What each row of a file without it reads as: a value of the type, or null.',
    unless: required,
  },
  'labels.source': {
    means: 'Prefix of the landing bucket: a day holds the labels that *arrived* on it. Not that of the events.',
    unless: required,
  },
  'labels.readyMarker': { means: 'As `events.readyMarker`.', unless: { default: '_READY' } },
  'labels.join': {
    means: 'Column with the event’s id, of the id’s type.',
    unless: { derived: '`events.id`' },
  },
  'labels.value': { means: 'BOOLEAN column: what is to be predicted is its being true. Not `day`.', unless: required },
  'labels.arrivedAt': {
    means: 'TIMESTAMP column (UTC) of the label’s arrival. The label that arrived last counts.',
    unless: required,
  },
  'labels.columns.*': {
    means: 'The columns that `daily.sql` sees, with their types.',
    unless: { derived: 'the three above' },
  },
  'labels.horizonDays': {
    means:
      'Days in which what happens decides a label, if it is more than the event (“cancels within 30 days”). Comparisons take blocks of so many days. At most `matureAfterDays`.',
    unless: { derived: '-' },
  },
  'labels.matureAfterDays': {
    means:
      'Days after an event’s day by whose end every label has arrived. Younger days are neither trained on nor tested.',
    unless: required,
  },
  'features.daily': {
    means: 'File with the SQL of a day’s aggregates.',
    unless: { default: 'features/daily.sql' },
    schema: 'features.daily.path',
  },
  'features.features': {
    means: 'File with the SQL of the features.',
    unless: { default: 'features/features.sql' },
    schema: 'features.features.path',
  },
  'features.columns': {
    means:
      'The model’s inputs, in the order of the ONNX input’s columns; each once. Not `day`, `row_id`, `prediction`, id, entity, time or label.',
    unless: required,
  },
  'features.aggregateDays': {
    means: 'Days of aggregates before a day that `features.sql` sees in `daily`. 0: none.',
    unless: required,
  },
  'features.eventDays': {
    means: 'Days of events before a day that both files see in `events`, beside the day itself.',
    unless: { derived: '`labels.matureAfterDays`' },
  },
  'training.image': {
    means: 'The training container, by digest. Without it the model trains on a laptop only.',
    unless: { derived: 'none: SageMaker refuses the job' },
  },
  'training.local': {
    means: 'The same program as a command, run in the model’s folder on a laptop.',
    unless: required,
  },
  'training.hyperparameters.*': {
    means:
      'Given to the program as texts. `seed`, `label` and `features` are added by the pipeline, in place of your own of these names.',
    unless: { derived: 'none' },
  },
  'training.seed': { means: 'The hyperparameter `seed`.', unless: { default: 0 } },
  'training.instanceType': { means: 'SageMaker’s instance type, one instance.', unless: { default: 'ml.m5.large' } },
  'training.maxRuntimeSeconds': { means: 'Seconds after which SageMaker stops the job.', unless: { default: 3600 } },
  'windows.*': {
    means: 'A training window by its name: so many days before the selection days. Each trains one candidate.',
    unless: { derived: 'one that grows is enough' },
    schema: 'windows.*.days',
  },
  'windows.*.since': {
    means: 'A window that grows: everything since a day. At least one window is such.',
    unless: required,
  },
  'evaluation.selectionDays': {
    means: 'Days before the test days, on which the best of the candidates is chosen.',
    unless: { default: 7 },
  },
  'evaluation.testDays': {
    means: 'The newest matured days, on which the chosen one is compared with the champion.',
    unless: { default: 14 },
  },
  'schedule.cron': {
    means: 'When it is retrained, as EventBridge Scheduler has it: `cron(0 6 ? * MON *)`, `rate(7 days)`.',
    unless: required,
  },
  'schedule.timezone': { means: 'IANA time zone of the cron expression.', unless: required },
  'predictions.modes': { means: 'How it is served.', unless: { default: ['batch'] } },
  'predictions.days': { means: 'How many of the newest days of events are kept scored.', unless: { default: 14 } },
  'predictions.lookup': {
    means: 'Whether rows can be looked up by entity (`prediction get`).',
    unless: { derived: '`false`' },
  },
  'predictions.onMismatch': {
    means: 'What a reader starts who finds another release’s predictions: nothing, or a batch run.',
    unless: { derived: '`refuse`' },
  },
  'online.context.*.column': {
    means:
      'Answers requests. A request brings the events whose `column` is the value that its own event has in one of `of`; no entries: none are needed.',
    unless: required,
  },
  'online.context.*.of': {
    means: 'Columns of the request’s own event, of the type of `column`.',
    unless: required,
  },
  'online.context.*.within': {
    means:
      'How long before the request’s event those events lie, at most. `gatehouse model check` proves that it suffices.',
    unless: required,
    schema: 'online.context.*.withinMinutes',
  },
  'online.maxRows': { means: 'Rows of one request, at most.', unless: { default: 100 } },
  'online.maxAggregateAgeDays': {
    means:
      'Age of the newest aggregates, in days, beyond which nothing is answered. 1: of the day before the request’s.',
    unless: { default: 2 },
  },
  'online.objectiveMs': {
    means:
      'Milliseconds within which 99 of 100 requests are answered: what latency is compared with where nothing else was served before.',
    unless: { default: 1000 },
  },
  'online.pointerMaxAgeSeconds': {
    means: 'Seconds after which the pointer is read again before an answer.',
    unless: { default: 5 },
  },
  'online.retentionDays': {
    means: 'Days that raw events of requests are kept, from which answers can be computed again. 0 keeps none.',
    unless: { default: 30 },
  },
  'sla.predictionsWithinHours': {
    means: 'Hours from the arrival of a day’s events to its predictions; what is later is alerted.',
    unless: { default: 24 },
  },
  'sla.dataWithinHours': {
    means:
      'Hours within which a new day of each source is to be admitted after the one before; what is later is alerted.',
    unless: { derived: '48' },
  },
  'sla.answersWithinObjective': {
    means:
      'The share of requests that are answered within `online.objectiveMs`. What fails or is slower spends the error budget: `gatehouse status MODEL --sla`.',
    unless: { derived: '0.99' },
  },
  escalation: { means: 'Roles to turn to, first to last.', unless: required },
};

/** As much of a JSON schema as the definition uses; `allowed` is what its checks say of themselves. */
interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | false;
  readonly propertyNames?: Schema;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly const?: string;
  readonly enum?: readonly unknown[];
  readonly type?: string;
  readonly format?: string;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly allowed?: readonly string[];
}

interface Said {
  readonly error?: (issue: object) => unknown;
}

const schema = z.toJSONSchema(ModelDefinition, {
  override({ zodSchema, jsonSchema }) {
    // oxlint-disable-next-line no-underscore-dangle -- so zod calls what it tells the writers of tools
    const { checks = [], ...own } = zodSchema._zod.def as unknown as Said & {
      readonly checks?: readonly { readonly _zod: { readonly def: Said } }[];
    };
    const all = [own, ...checks.map(({ _zod: { def } }) => def)];
    const said = all.map(({ error }) => error?.({})).filter((text) => typeof text === 'string');
    if (said.length > 0) Object.assign(jsonSchema, { allowed: said });
  },
}) as Schema;

/** What a value may be one of: itself, or each option of a union. */
const optionsOf = (of: Schema): readonly Schema[] => {
  const options = of.anyOf ?? of.oneOf;
  return options === undefined ? [of] : options.flatMap(optionsOf);
};

/** The leaves of the compiled definition's schema, by their paths; what a record or a list has is `*`. */
export function schemaPaths(of: Schema = schema, path = ''): readonly string[] {
  const under = (name: string): string => (path === '' ? name : `${path}.${name}`);
  const found = optionsOf(of).flatMap((each) => {
    if (each.properties) return Object.entries(each.properties).flatMap(([name, one]) => schemaPaths(one, under(name)));
    if (each.additionalProperties) return schemaPaths(each.additionalProperties, under('*'));
    const isNested =
      each.items !== undefined && optionsOf(each.items).some(({ properties }) => properties !== undefined);
    return each.items !== undefined && isNested ? schemaPaths(each.items, under('*')) : [path];
  });
  return [...new Set(found)];
}

/** Where the schema has an option. */
export const schemaPath = (option: string, { schema }: Pick<Option, 'schema'>): string => schema ?? option;

function nodeAt(path: string): Schema {
  return path.split('.').reduce<Schema>((node, part) => {
    const next = optionsOf(node)
      .map((each) => (part === '*' ? each.additionalProperties || each.items : each.properties?.[part]))
      .filter((each) => each !== undefined);
    if (next.length === 0) throw new Error(`the schema of models has no ${path}`);
    return next.length === 1 && next[0] !== undefined ? next[0] : { anyOf: next };
  }, schema);
}

/** What a value may be, in words. */
function allowedBy(node: Schema): string {
  if (node.enum !== undefined) return node.enum.map((value) => `\`${String(value)}\``).join(', ');
  if (node.const !== undefined) return `\`${node.const}\``;
  const options = optionsOf(node);
  // A column that was added later is described by options of its own.
  const leaves = options.filter(({ properties }) => properties === undefined);
  if (options.length > 1) return [...new Set(leaves.map(allowedBy))].join('; ');
  switch (node.type) {
    case 'integer':
      return `whole number${rangeOf(node)}`;
    case 'number':
      return `number${rangeOf(node)}`;
    case 'array': {
      const most = node.maxItems === undefined ? 'or more' : `to ${node.maxItems}`;
      return `list of ${node.minItems ?? 0} ${most}: ${allowedBy(node.items ?? {})}`;
    }
    case 'boolean':
      return '`true`, `false`';
    case 'null':
      return '`null`';
    default: {
      const said = node.allowed ?? (node.pattern === undefined ? ['text'] : [`\`${node.pattern}\``]);
      const most = node.maxLength === undefined ? [] : [`at most ${node.maxLength} characters`];
      return [...(node.format === 'date' ? ['YYYY-MM-DD'] : said), ...most].join('; ');
    }
  }
}

function rangeOf({ minimum, exclusiveMinimum, maximum = Number.MAX_SAFE_INTEGER }: Schema): string {
  if (exclusiveMinimum !== undefined) return `, above ${exclusiveMinimum}`;
  if (minimum === undefined || minimum <= Number.MIN_SAFE_INTEGER) return '';
  return maximum < Number.MAX_SAFE_INTEGER ? `, ${minimum} to ${maximum}` : `, ${minimum} or more`;
}

function allowedFor(option: string, given: Option): string {
  const path = schemaPath(option, given);
  if (option.endsWith('.within')) return DURATION;
  if (path === 'windows.*.days') {
    const names = allowedBy(nodeAt('windows.*.name'));
    return `1 to ${String(nodeAt('windows').maxItems)} windows; name: ${names}; days: ${allowedBy(nodeAt(path))}`;
  }
  if (!path.endsWith('.*')) return allowedBy(nodeAt(path));
  const record = nodeAt(path.slice(0, -2));
  const all = (record.allowed ?? []).map((text) => `${text}; `).join('');
  return `${all}name: ${allowedBy(record.propertyNames ?? {})}; value: ${allowedBy(nodeAt(path))}`;
}

/** A text as a cell of a table. */
export const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

/** The table of options. */
export function optionsTable(): string {
  const rows = Object.entries<Option>(OPTIONS).map(([option, given]) => {
    const { unless } = given;
    const fallback =
      'required' in unless
        ? '**required**'
        : 'derived' in unless
          ? unless.derived
          : `\`${JSON.stringify(unless.default).replaceAll('"', "'")}\``;
    return `| \`${option}\` | ${[given.means, fallback, allowedFor(option, given).replaceAll('<', String.raw`\<`)].map(cell).join(' | ')} |`;
  });
  return `| option | what it is | if left out | allowed |\n|---|---|---|---|\n${rows.join('\n')}`;
}
