import type { CanaryMinute } from '#domain/canary/counts.ts';
import type { Digest } from '#domain/canonical/digest.ts';
import type { ComparisonMeasure } from '#domain/comparison/measure.ts';
import type { TrainingRows } from '#domain/data/data-check.ts';
import type { LabelJoins } from '#domain/data/label-joins.ts';
import type { PartitionKind } from '#domain/data/partition.ts';
import type { StabilityMeasure } from '#domain/drift/drift-work.ts';
import type { AnsweredDay } from '#domain/prediction/answers.ts';
import type { Refusal } from '#domain/refusal/refusal.ts';
import type { ModelDefinition } from '#domain/model/definition.ts';
import type { ReadEvent } from './online-features.ts';

/** A local Parquet file and the day of its partition. */
export interface DayFile {
  readonly day: string;
  readonly file: string;
}

/** A file that was made, or why the data or the SQL was refused. */
export type EngineResult =
  | { readonly kind: 'built'; readonly rows: number; readonly sha256: Digest }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

/** A day of a batch: its inputs, and the local file to make. */
interface Item {
  readonly day: string;
  readonly events: readonly DayFile[];
  readonly out: string;
}

/** Reads raw events as requests would have them. */
export interface EventReading {
  /** The events of some files, in the order of the files. */
  readEvents(
    definition: Pick<ModelDefinition, 'events'>,
    files: readonly DayFile[],
  ): Promise<
    { readonly kind: 'read'; readonly events: readonly ReadEvent[] } | Extract<EngineResult, { kind: 'refused' }>
  >;
}

/** Checks what has landed before it is admitted. */
export interface PartitionCheck {
  /** Why features would refuse a partition, or undefined. */
  checkPartition(input: {
    readonly definition: ModelDefinition;
    readonly kind: PartitionKind;
    readonly day: string;
    readonly files: readonly string[];
  }): Promise<Refusal | undefined>;
}

/**
 * Runs feature SQL and measures comparisons, on local files only; feature SQL is untrusted and locked in. Days of a batch
 * share the reading of their inputs; each has a result of its own, in the order of the items, that depends on no other.
 */
export interface FeatureEngine extends PartitionCheck {
  buildDaily(input: {
    readonly sql: string;
    readonly definition: ModelDefinition;
    readonly items: readonly (Item & { readonly labels: readonly DayFile[] })[];
  }): Promise<readonly EngineResult[]>;
  buildFeatures(input: {
    readonly sql: { readonly daily: string; readonly features: string };
    readonly definition: ModelDefinition;
    readonly items: readonly (Item & { readonly daily: readonly DayFile[] })[];
  }): Promise<readonly EngineResult[]>;
  /**
   * Writes each partition as one file of the rows that features would read of it, declared columns first, in their types;
   * results in the order of the items. What features refuse is refused, each partition by itself.
   */
  stagePartitions(input: {
    readonly definition: ModelDefinition;
    readonly items: readonly {
      readonly kind: PartitionKind;
      readonly day: string;
      readonly files: readonly string[];
      readonly out: string;
    }[];
  }): Promise<
    readonly ({ readonly kind: 'built'; readonly rows: number } | Extract<EngineResult, { kind: 'refused' }>)[]
  >;
  exportTrainingRows(input: {
    readonly features: readonly DayFile[];
    readonly labels: readonly DayFile[];
    readonly definition: ModelDefinition;
    /** A folder, which then holds a file of rows for each day of the features, and nothing else. */
    readonly out: string;
  }): Promise<
    | {
        readonly kind: 'built';
        readonly rows: number;
        readonly positives: number;
        /** In the order of days, which is that of their names. */
        readonly files: readonly string[];
        readonly joins: LabelJoins;
      }
    | Extract<EngineResult, { kind: 'refused' }>
  >;
  /** What exported training rows say of themselves: labels that are there, and how well each input alone predicts them. */
  measureTrainingRows(input: {
    readonly rows: readonly string[];
    readonly features: readonly string[];
    readonly definition: ModelDefinition;
  }): Promise<
    | { readonly kind: 'measured'; readonly rows: Omit<TrainingRows, 'joins'> }
    | Extract<EngineResult, { kind: 'refused' }>
  >;
  measureComparison(input: {
    readonly features: readonly string[];
    readonly labels: readonly DayFile[];
    readonly champion: readonly string[];
    readonly candidate: readonly string[];
    readonly definition: ModelDefinition;
    /** What rows are clustered by: `day` where it is left out, else a column of the features. */
    readonly cluster?: string | undefined;
    /** Whether that column's values are parted by days besides. */
    readonly byDay?: boolean | undefined;
    /** Columns of the features by whose values rows are summed apart. */
    readonly slices?: readonly string[] | undefined;
    /** At what probability people would act, where the policy says what it costs to be wrong. */
    readonly threshold?: number | undefined;
  }): Promise<
    { readonly kind: 'measured'; readonly measure: ComparisonMeasure } | Extract<EngineResult, { kind: 'refused' }>
  >;
  /** What an endpoint has answered, by the labels that have arrived and by the batch; each event by its first answer. */
  measureAnswers(input: {
    /** Files of the request log. */
    readonly requests: readonly DayFile[];
    readonly labels: readonly DayFile[];
    readonly predictions: readonly { readonly day: string; readonly release: Digest; readonly file: string }[];
    readonly definition: ModelDefinition;
  }): Promise<
    { readonly kind: 'measured'; readonly days: readonly AnsweredDay[] } | Extract<EngineResult, { kind: 'refused' }>
  >;
  /** How many requests of some files of the request log are of an epoch before one, and began after a moment. */
  countAnswersOfOlderEpochs(input: {
    readonly requests: readonly string[];
    readonly epoch: number;
    readonly since: string;
  }): Promise<number>;
  /**
   * What each arm answered in each minute that begins at or after one moment and ends at or before another; minutes without any line are absent.
   * A request is the id of its first event, and counts once in all of the window, by its first outcome.
   */
  countArms(input: {
    /** Files of answered requests, and of those that nobody answered. */
    readonly requests: readonly string[];
    readonly failed: readonly string[];
    readonly from: string;
    readonly until: string;
    /** Leaves out requests that an endpoint handled by an older pointer. */
    readonly sincePointerSeq: number | null;
    /** Without an objective no answer is slow, not even a late one. */
    readonly objectiveMs: number | null;
  }): Promise<readonly CanaryMinute[]>;
  /** How many requests of a release began between two moments, and the 99th percentile of their milliseconds; null of none. */
  measureLatency(input: {
    readonly requests: readonly string[];
    readonly release: Digest;
    readonly from: string;
    readonly until: string;
  }): Promise<{ readonly answers: number; readonly p99: number | null }>;
  /** How far each feature has moved from what it was in the reference's files. */
  measureStability(input: {
    readonly reference: readonly string[];
    readonly current: readonly string[];
    readonly definition: ModelDefinition;
  }): Promise<
    | { readonly kind: 'measured'; readonly measure: Omit<StabilityMeasure, 'formatVersion'> }
    | Extract<EngineResult, { kind: 'refused' }>
  >;
  /** Where two files of features differ, row by row and bit by bit. */
  compareFeatures(input: {
    readonly stored: string;
    readonly anew: string;
    readonly definition: ModelDefinition;
  }): Promise<
    | {
        readonly kind: 'compared';
        readonly columns: readonly { readonly column: string; readonly rows: number }[];
        readonly rows: { readonly stored: number; readonly anew: number; readonly unmatched: number };
      }
    | Extract<EngineResult, { kind: 'refused' }>
  >;
}
