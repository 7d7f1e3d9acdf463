import { z } from 'zod';
import { document } from '../canonical/document.ts';
import { Digest, digestOfJson } from '../canonical/digest.ts';
import { Day, type ModelDefinition, ModelName } from '../model/definition.ts';
import { DataKind } from '../policy/policy.ts';
import { LabelJoins } from './label-joins.ts';
import { InputPartition, PartitionKind } from './partition.ts';

/** What a suite and an expectation may carry besides what is expected: nobody validates it. */
const described = {
  id: z.string().nullish(),
  meta: z.record(z.string(), z.unknown()).nullish(),
  notes: z.union([z.string(), z.array(z.string())]).nullish(),
};

/**
 * A suite in Great Expectations' own JSON (`ExpectationSuite.to_json_dict()`): what is expected of each batch of a kind. It is
 * strict: `mostly` beside `kwargs` instead of in them would change nothing.
 */
export const ExpectationSuite = z.strictObject({
  ...described,
  name: z.string().min(1),
  expectations: z
    .array(
      z.strictObject({
        ...described,
        type: z.string().regex(/^expect_[a-z_]+$/, 'an expectation of Great Expectations: expect_...'),
        kwargs: z.record(z.string(), z.unknown()),
        severity: z.enum(['critical', 'warning', 'info']).optional(),
        description: z.string().nullish(),
        rendered_content: z.unknown().optional(),
        expectation_context: z.unknown().optional(),
      }),
    )
    .min(1),
});
export type ExpectationSuite = z.infer<typeof ExpectationSuite>;

/** What a data check looks at, pinned: the partitions that no suite has seen yet, and the rows that a run trains on. */
export const DataCheckPlan = document(
  'data check plan',
  z.strictObject({
    formatVersion: z.literal(1),
    model: ModelName,
    run: z.string().min(1),
    /** The texts of the suites, as objects by digest. */
    suites: z.partialRecord(DataKind, Digest),
    /** How partitions are read: the model's definition, as an object by digest. */
    definition: Digest,
    partitions: z.array(InputPartition),
    /** Before training: the plan of the window with the most days, and the days that train, choose and test. Null for what has just arrived. */
    training: z.strictObject({ plan: Digest, from: Day, to: Day }).nullable(),
  }),
);
export type DataCheckPlan = z.infer<typeof DataCheckPlan>;

/** What one input of a model says of the label by itself. */
const InputFigures = z.strictObject({
  column: z.string(),
  /** Share of the rows without a value. */
  missing: z.number(),
  /** Area under the ROC curve of the value alone, at least 0.5; null where it has none. */
  auc: z.number().nullable(),
});

/** The rows that a run trains on, as they were staged for validation. */
export const TrainingRows = z.strictObject({
  /** Rows that have features, and those of them that have a label as well. */
  events: z.int().nonnegative(),
  rows: z.int().nonnegative(),
  positives: z.int().nonnegative(),
  inputs: z.array(InputFigures),
  /** What the join of events and labels lost. */
  joins: LabelJoins,
});
export type TrainingRows = z.infer<typeof TrainingRows>;

/** The data staged for validation: every file was hashed on its way. */
export const StagedData = document(
  'staged data',
  z.strictObject({
    formatVersion: z.literal(1),
    files: z.int().nonnegative(),
    bytes: z.int().nonnegative(),
    training: TrainingRows.nullable(),
    /** Partitions that could not be had, or whose bytes are not those that were admitted, with the reason; the others were staged. */
    refused: z.array(z.strictObject({ kind: PartitionKind, day: Day, version: z.int().min(1), reason: z.string() })),
    /** Why there are no training rows though a training is about to begin. */
    untrainable: z.array(z.string()),
  }),
);
export type StagedData = z.infer<typeof StagedData>;

/** An expectation that was not met: what it is, of what, and what was found. */
const Failure = z.strictObject({ expectation: z.string(), about: z.string(), found: z.string() });

/** What Great Expectations said of each batch. */
export const CheckResults = z.strictObject({
  formatVersion: z.literal(1),
  greatExpectations: z.string(),
  batches: z.array(
    z.strictObject({
      kind: DataKind,
      day: Day.nullable(),
      /** The partition's version; null for the training rows, as the day is. */
      version: z.int().nullable(),
      rows: z.int().nonnegative(),
      evaluated: z.int().min(1),
      failures: z.array(Failure),
    }),
  ),
});
export type CheckResults = z.infer<typeof CheckResults>;
export type CheckedBatch = CheckResults['batches'][number];

/** Names how the files of a kind are read: which columns as what. */
export function readingOf({ events, labels }: Pick<ModelDefinition, 'events' | 'labels'>, kind: PartitionKind): Digest {
  const { id, time } = events;
  const { join, value, arrivedAt } = labels;
  return kind === 'events'
    ? digestOfJson({ columns: events.columns, id, time })
    : digestOfJson({ columns: labels.columns, join, value, arrivedAt });
}

/** A partition that a suite has seen: it is not looked at again while it, the suite and how it is read are the same. */
const CheckedPartition = z.strictObject({
  kind: PartitionKind,
  day: Day,
  digest: Digest,
  suite: Digest,
  /** Absent from what was checked before partitions were read as features read them. */
  reading: Digest.exactOptional(),
  rows: z.int().nonnegative(),
  failures: z.array(Failure),
});
export type CheckedPartition = z.infer<typeof CheckedPartition>;

/** Every admitted partition of a model that was checked, in its newest version. */
export const CheckedPartitions = document(
  'checked partitions',
  z.strictObject({
    formatVersion: z.literal(1),
    model: ModelName,
    partitions: z.array(CheckedPartition),
    /** What the join of events and labels lost in the run whose rows were checked last. */
    training: z.strictObject({ run: z.string(), joins: LabelJoins }).exactOptional(),
  }),
);
export type CheckedPartitions = z.infer<typeof CheckedPartitions>;

/** Says a failed expectation in a line. */
export function failureText(
  { kind, day }: Pick<CheckedBatch, 'kind' | 'day'>,
  failure: z.infer<typeof Failure>,
): string {
  const of = day === null ? 'the training rows' : `${kind} of ${day}`;
  return `${of}: ${failure.expectation}(${failure.about}): ${failure.found}`;
}

/** What a check found and what it was judged to be, as the document that its record names. */
export const DataCheckEvidence = document(
  'data check evidence',
  z.strictObject({
    formatVersion: z.literal(1),
    plan: Digest,
    staged: Digest.nullable(),
    /** Null where nothing was looked at. */
    results: CheckResults.nullable(),
    verdict: z.enum(['PASS', 'FAIL', 'INCONCLUSIVE']),
    reasons: z.array(z.string()),
  }),
);
