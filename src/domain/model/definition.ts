import { z } from 'zod';
import { document } from '../canonical/document.ts';
import { Digest } from '../canonical/digest.ts';
import { SeenText } from '../text.ts';

/** A model's name: lower-case words joined by hyphens; it is part of resource names, so it is short. */
export const ModelName = z
  .string()
  .regex(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/, 'lower-case words joined by hyphens')
  .max(32);
/** A column's name as SQL sees it without quoting. */
export const ColumnName = z.string().regex(/^[a-z][a-z0-9_]*$/, 'lower-case letters, digits and underscores');
/** A calendar day in UTC, `YYYY-MM-DD`: the key of a partition. */
export const Day = z.iso.date();
/** The most days that may be held out for the test: the floor's 7 blocks of the longest horizon, 120 days. */
export const MOST_TEST_DAYS = 840;
/** The column types that a source may declare, in DuckDB's words. */
export const ColumnType = z.enum(['VARCHAR', 'TIMESTAMP', 'DATE', 'BOOLEAN', 'INTEGER', 'BIGINT', 'DOUBLE']);
export type ColumnType = z.infer<typeof ColumnType>;

/** A column of one type that is there since a day, with what it reads as before. */
function later<T extends ColumnType, D extends z.ZodType>(type: T, value: D) {
  const since = z.iso.date({ error: 'the first UTC day whose events must have the column, YYYY-MM-DD' });
  return z.strictObject({ type: z.literal(type), since, default: z.nullable(value) });
}

/**
 * An event column that a source has not always had. `since` is the first UTC day of events whose files must have it; a file of
 * an earlier day may lack it, and then each row has `default`: a value of the column's type, or null. Both must be said. A file of an
 * earlier day that has the column is read as it is. Example: `{ type: 'DOUBLE', since: '2026-11-01', default: 0 }`.
 */
const LaterColumn = z.discriminatedUnion(
  'type',
  [
    later('VARCHAR', z.string({ error: 'a text, or null' }).pipe(SeenText.max(500))),
    later('TIMESTAMP', z.iso.datetime({ precision: 0, error: 'a UTC time such as 2026-11-01T00:00:00Z, or null' })),
    later('DATE', z.iso.date({ error: 'a day such as 2026-11-01, or null' })),
    later('BOOLEAN', z.boolean({ error: 'true, false or null' })),
    later('INTEGER', z.int32({ error: 'a whole number of 32 bits, or null' })),
    later('BIGINT', z.int({ error: 'a whole number of at most 53 bits, or null' })),
    later('DOUBLE', z.number({ error: 'a finite number, or null' })),
  ],
  { error: `{ type, since, default } with a type of ${ColumnType.options.join(', ')}` },
);
export type LaterColumn = z.infer<typeof LaterColumn>;

/** A column of events: its type, for a column that each file has, or since when it is there. */
export const EventColumn = z.union([ColumnType, LaterColumn]);
export type EventColumn = z.infer<typeof EventColumn>;

/** A column of labels: each file has it. */
const LabelColumn = z
  .unknown()
  .refine(
    (given) => typeof given !== 'object',
    'a type only: what a label did not say when it arrived cannot be filled in',
  )
  .pipe(ColumnType);

/** The type of a column, however it is declared. */
export function typeOf(column: EventColumn): ColumnType;
export function typeOf(column: EventColumn | undefined): ColumnType | undefined;
export function typeOf(column: EventColumn | undefined): ColumnType | undefined {
  return typeof column === 'object' ? column.type : column;
}

/** A prefix of the landing bucket, which is part of keys of at most 1,024 bytes and of event patterns: folders joined by slashes. */
const SourcePrefix = z
  .string()
  .max(500)
  .regex(
    /^(?!\.{1,2}(\/|$))[A-Za-z0-9!_.=-]+(\/(?!\.{1,2}(\/|$))[A-Za-z0-9!_.=-]+)*$/,
    "folders of letters, digits, '!', '_', '.', '=' and '-', joined by '/'",
  );
/** The name of an object beside a partition's files, and no such file itself. */
const MarkerName = z
  .string()
  .max(100)
  .regex(
    /^(?!\.{1,2}$)(?!.*\.parquet$)[A-Za-z0-9!_.-]+$/i,
    "a file's name of letters, digits, '!', '_', '.' and '-', other than *.parquet",
  );
/** Part of an object's key, of a path on a machine that trains, and of a job's name, which has no other characters. */
const WindowName = z
  .string()
  .max(20)
  .regex(/^[A-Za-z0-9]+([-_][A-Za-z0-9]+)*$/, "letters and digits, joined by '-' or '_'");
/** What SageMaker takes: at most 100, keys of 256 and values of 2,500 characters, in one line. */
const Hyperparameters = z
  .record(z.string().min(1).max(256).regex(/^.+$/u, 'one line'), z.string().max(2500).regex(/^.*$/u, 'one line'))
  .refine((given) => Object.keys(given).length <= 100, 'at most 100 hyperparameters');

/** How far the events that a request brings may lie before its own: two days. */
export const MOST_CONTEXT_MINUTES = 2880;

const Sql = z.strictObject({ path: z.string().regex(/^features\/[a-z0-9-]+\.sql$/), sha256: Digest });

/** One training window: so many days before the selection days, or everything since a day (a growing window). */
export const Window = z.union([
  z.strictObject({ name: WindowName, days: z.int().min(1).max(3650) }),
  z.strictObject({ name: WindowName, since: Day }),
]);
export type Window = z.infer<typeof Window>;

/** How a model answers requests. */
const Online = z.strictObject({
  /**
   * The events that a request brings with it, beside the requested ones: those whose `column` is the value that a requested event
   * has in one of `of`, from `withinMinutes` before it until its own moment, both inclusive.
   */
  context: z
    .array(
      z.strictObject({
        column: ColumnName,
        of: z.array(ColumnName).min(1),
        withinMinutes: z.int().min(1).max(MOST_CONTEXT_MINUTES),
      }),
    )
    .max(20),
  /** Rows of one request, at most. */
  maxRows: z.int().min(1).max(1000).default(100),
  /** Age in days of the newest aggregates beyond which nothing is answered: 1 is the day before the request's. */
  maxAggregateAgeDays: z.int().min(1).max(30).default(2),
  /** Milliseconds within which 99 of 100 requests are answered: the latency's baseline where nothing else was served before. */
  objectiveMs: z.int().min(10).max(29_000).default(1000),
  /** Seconds after which the pointer is read again before an answer. */
  pointerMaxAgeSeconds: z.int().min(0).max(300).default(5),
  /** Days that raw events of requests are kept, from which answers can be computed again; 0 keeps none. */
  retentionDays: z.int().min(0).max(3650).default(30),
});

/**
 * The compiled model definition: what `defineModel` becomes. CDK and the functions read this, never a `model.ts`; it is
 * a file of each release (`definition.json`), so that scoring needs nothing else.
 */
export const ModelDefinition = document(
  'definition.json',
  z.strictObject({
    formatVersion: z.literal(1),
    name: ModelName,
    task: z.literal('binary-classification'),
    owner: SeenText.min(1).max(200),
    purpose: SeenText.min(1).max(1000),
    /** `source` is a prefix of the landing bucket; a partition is `<source>/dt=YYYY-MM-DD/*.parquet` and exists when `<source>/dt=.../<readyMarker>` does. `time` is UTC. */
    events: z.strictObject({
      source: SourcePrefix,
      readyMarker: MarkerName,
      id: ColumnName,
      entity: ColumnName,
      time: ColumnName,
      columns: z.record(ColumnName, EventColumn),
    }),
    /** Partitioned by the UTC day on which the labels ARRIVED, not by the day of their events. `value` is BOOLEAN. */
    labels: z.strictObject({
      source: SourcePrefix,
      readyMarker: MarkerName,
      join: ColumnName,
      value: ColumnName,
      arrivedAt: ColumnName,
      columns: z.record(ColumnName, LabelColumn),
      /**
       * Days from an event on in which what happens decides its label, where that is more than the event itself ("cancels within
       * 30 days"). Labels of neighbouring days then depend on each other, and days are compared in blocks of so many.
       */
      horizonDays: z.int().min(2).max(120).exactOptional(),
      /** Days after an event's day by whose end every label has arrived. */
      matureAfterDays: z.int().min(0).max(120),
    }),
    features: z.strictObject({
      daily: Sql,
      features: Sql,
      /** The model's inputs, in the order of the ONNX input's columns. */
      columns: z.array(ColumnName).min(1).max(500),
      /** How many days of daily aggregates before a partition's day `features.sql` sees in table `daily`. */
      aggregateDays: z.int().min(0).max(400),
      /** How many days of events before a partition's day both SQL files see in table `events` beside the day itself. */
      eventDays: z.int().min(0).max(120),
    }),
    training: z.strictObject({
      /** The container image by digest (`<repository>@sha256:...`) for SageMaker. */
      image: z
        .string()
        .max(255)
        .regex(
          /^[A-Za-z0-9][^\s@]*@sha256:[0-9a-f]{64}$/,
          'an image is named by digest: <repository>@sha256:<64 hex digits>',
        ),
      /** The same program as a command, run in the model's folder under the container contract on a laptop. */
      local: z.array(z.string().min(1)).min(1),
      hyperparameters: Hyperparameters,
      seed: z.int().min(0),
      instanceType: z.string().regex(/^ml\.[a-z0-9-]+\.[a-z0-9]+$/, 'an instance type such as ml.m5.xlarge'),
      maxRuntimeSeconds: z.int().min(1).max(86_400),
      /** Digest over the files of `training/`: the code that trains. */
      code: Digest,
    }),
    windows: z.array(Window).min(1).max(8),
    /** The held-out days: the newest matured `testDays` test the chosen candidate, the `selectionDays` before them choose it. */
    evaluation: z.strictObject({ selectionDays: z.int().min(1).max(60), testDays: z.int().min(1).max(MOST_TEST_DAYS) }),
    /** EventBridge Scheduler's cron and an IANA time zone. */
    schedule: z.strictObject({
      cron: z
        .string()
        .max(256)
        .regex(/^(cron|rate)\(.+\)$/),
      timezone: z.string().min(1).max(50),
    }),
    /**
     * How many of the newest event partitions are kept scored, whether rows can be looked up by entity, and what a reader
     * starts who asks for the served release and finds another one's predictions: nothing (`refuse`, the default), or a
     * batch run (`recompute`).
     */
    predictions: z.strictObject({
      modes: z.array(z.enum(['batch'])).min(1),
      days: z.int().min(1).max(400),
      lookup: z.boolean().optional(),
      onMismatch: z.enum(['refuse', 'recompute']).optional(),
    }),
    /** Answers to requests, from features of the request's events, what it brings with them, and daily aggregates. Without it, none. */
    online: Online.exactOptional(),
    sla: z.strictObject({
      predictionsWithinHours: z.number().positive(),
      dataWithinHours: z.number().positive().exactOptional(),
      /** The share of requests that are answered within `online.objectiveMs`; what fails or is slower spends the error budget. */
      answersWithinObjective: z.number().min(0.5).lt(1).exactOptional(),
    }),
    escalation: z.array(SeenText.min(1).max(200)).min(1),
  }),
);
export type ModelDefinition = z.infer<typeof ModelDefinition>;
