import type { Digest } from '#domain/canonical/digest.ts';

/** A prediction: of which event and which entity, if the event names one. */
export interface ScoredRow {
  readonly row: string;
  readonly entity: string | null;
  readonly prediction: number;
}

/** A row as it was published for look-up: `predictions` names the partition that it belongs to. */
export interface PublishedRow extends ScoredRow {
  readonly entity: string;
  readonly day: string;
  readonly predictions: Digest;
  readonly release: Digest;
}

/**
 * The rows of prediction partitions by entity, for models that ask for it. Rows of several versions of a partition may
 * stand side by side: the partition's manifest says which of them count.
 */
export interface PredictionRows {
  /**
   * Puts the rows of a partition; the same rows again change nothing but when they are forgotten.
   * @throws GatehouseError `KEY_TOO_LONG` for a row that cannot be published (`whyNotPublishable`)
   */
  put(model: string, rows: readonly PublishedRow[], expiresAt: Date): Promise<void>;
  /** All rows of an entity, the newest days first. */
  of(model: string, entity: string): Promise<readonly PublishedRow[]>;
}
