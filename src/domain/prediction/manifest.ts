import { z } from 'zod';
import { document } from '../canonical/document.ts';
import { Digest } from '../canonical/digest.ts';
import { ObjectReference } from '../data/partition.ts';
import { Day, ModelName } from '../model/definition.ts';
import { AggregateDays } from './aggregates.ts';
import { Refusal } from '../refusal/refusal.ts';

/**
 * How the rows of a partition came about when an earlier one of the same release and scorer was there: those whose
 * features are the same bits were carried over from it, the others were scored.
 */
export const Lineage = z.strictObject({
  /** What the earlier prediction partition hashes to. */
  from: Digest,
  carried: z.int().nonnegative(),
  scored: z.int().nonnegative(),
  /** Rows of the earlier partition that are no more. */
  dropped: z.int().nonnegative(),
});
export type Lineage = z.infer<typeof Lineage>;

/** What the store of predictions says of a day: whose predictions they are, of what, and where. Flipped whole. */
export const PredictionManifest = z.strictObject({
  formatVersion: z.literal(1),
  model: ModelName,
  day: Day,
  features: Digest,
  release: Digest,
  scorer: Digest,
  schema: Digest,
  object: ObjectReference,
  rows: z.int().nonnegative(),
  /** How the rows came about; null where all of them were scored. */
  lineage: Lineage.nullable(),
  run: z.string().min(1),
  epoch: z.int(),
  publishedAt: z.iso.datetime(),
});
export type PredictionManifest = z.infer<typeof PredictionManifest>;

/** What a record's transaction published, as the document that the record names. */
export const PublishedPredictions = document(
  'published predictions',
  z.array(PredictionManifest.pick({ day: true, features: true, object: true, rows: true })),
);

/** Which batch run may publish: a number that only grows, and what was asked for since. */
export const Fence = z.strictObject({
  fence: z.int().nonnegative(),
  requested: z.int().nonnegative(),
  running: z.string().nullable(),
  startedAt: z.iso.datetime().nullable(),
});
export type Fence = z.infer<typeof Fence>;

/**
 * What a batch run has to do: nothing, to score some or all partitions, or, where none is to be scored, to bring the daily
 * aggregates of an endpoint up to date.
 */
export const BatchKind = z.enum(['none', 'aggregates', 'partial', 'full']);
export type BatchKind = z.infer<typeof BatchKind>;

/** The plan of a batch run, as an object by digest. */
export const BatchPlan = document(
  'batch plan',
  z.strictObject({
    formatVersion: z.literal(1),
    model: ModelName,
    run: z.string().min(1),
    kind: BatchKind,
    release: Digest,
    scorer: Digest,
    schema: Digest,
    epoch: z.int(),
    fence: z.int(),
    requested: z.int(),
    partitions: z.array(
      z.strictObject({
        day: Day,
        features: Digest,
        predictions: Digest,
        reasons: z.array(z.string()),
        rows: z.int().nonnegative().nullable(),
      }),
    ),
    /** The daily aggregates that endpoints should load, for each basis, and the published list that they may replace. */
    aggregates: z
      .array(z.strictObject({ basis: Digest, historyFrom: Day, days: AggregateDays, replaces: Digest.nullable() }))
      .exactOptional(),
    /** Partitions that cannot be scored yet, and what they wait for. */
    waiting: z.array(z.string()),
    /** Those of them that wait for a partition which was refused, and why it was. */
    blocked: z.array(z.strictObject({ day: Day, ...Refusal.shape })).exactOptional(),
  }),
);
export type BatchPlan = z.infer<typeof BatchPlan>;
