import type { PartitionKind } from '#domain/data/partition.ts';

/** One Parquet file that an outside producer lands: a day's events, or the labels that arrived on a day. */
export interface LandingPartition {
  readonly kind: PartitionKind;
  readonly day: string;
  readonly file: string;
  /** `sha256:...` of the file. */
  readonly sha256: string;
  readonly rows: number;
}

/** A fault that is planted in the data of some days, so that the gates have something to find. */
export interface Damage {
  readonly kind: string;
  readonly first: string;
  readonly last: string;
}

/**
 * What a `models/<name>/replay.ts` exports as `replay`: history as an outside producer would have landed it. The same
 * options give the same bytes, so that landing them twice changes nothing.
 */
export interface Replay {
  /** The damages that `prepare` can plant. */
  readonly damages: readonly string[];
  /** Prepares files below `folder` (once; later calls find them there) and lists those of all days. */
  prepare(options: {
    readonly folder: string;
    /** The fraction of the rows, above 0 and at most 1. */
    readonly sample: number;
    readonly damage?: Damage;
  }): Promise<readonly LandingPartition[]>;
}
