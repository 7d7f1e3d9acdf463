import type { Digest } from '../canonical/digest.ts';

/** Everything that a partition of predictions depends on. */
export interface PredictionInputs {
  readonly day: string;
  readonly features: Digest;
  readonly release: Digest;
  readonly scorer: Digest;
  readonly schema: Digest;
}

/** What a partition of predictions should be made from. */
export interface DesiredPredictions extends PredictionInputs {
  /** The rows that scoring it means, for the plan's estimate; null where nothing is known that could be estimated from. */
  readonly rows: number | null;
  /** Whether the day's events were withdrawn at their source: its partition is empty. */
  readonly isWithdrawn: boolean;
}

/** Why a partition is scored again. */
export type Reason =
  | 'no predictions yet'
  | 'events withdrawn'
  | 'features changed'
  | 'release changed'
  | 'scorer changed'
  | 'schema changed';

/** What happens to one partition. */
export interface PartitionAction {
  readonly day: string;
  /** `carry over` scores the rows whose features changed, and takes the rest from the partition that is there. */
  readonly action: 'keep' | 'carry over' | 'score';
  readonly reasons: readonly Reason[];
  readonly rows: number | null;
  readonly features: Digest;
  /** The features that the published predictions were made from, where unchanged rows may be carried over from them. */
  readonly previous: Digest | null;
}

/** What has to be done for the predictions to be what they should be. */
export interface ReconciliationPlan {
  readonly kind: 'none' | 'partial' | 'full';
  readonly partitions: readonly PartitionAction[];
  readonly toScore: number;
  /** Rows of the partitions to score, as far as they are known. */
  readonly rows: number;
}

/** The days whose published predictions are what they should be. */
export function keptDays({ partitions }: ReconciliationPlan): ReadonlySet<string> {
  return new Set(partitions.flatMap(({ day, action }) => (action === 'keep' ? [day] : [])));
}

/**
 * Compares what the predictions should be made from with what they were made from. All partitions, or a changed
 * schema, make a full reconciliation; partitions that are right already are kept in any case. A partition of the same
 * release, scorer and schema whose features changed is recomputed by row.
 */
export function planReconciliation(
  desired: readonly DesiredPredictions[],
  actual: readonly PredictionInputs[],
): ReconciliationPlan {
  const manifests = new Map(actual.map((manifest) => [manifest.day, manifest]));
  const partitions = desired
    .map((want): PartitionAction => {
      const have = manifests.get(want.day);
      const reasons = reasonsFor(want, have);
      const previous =
        have !== undefined && reasons.length === 1 && want.features !== have.features ? have.features : null;
      const action = reasons.length === 0 ? 'keep' : previous === null ? 'score' : 'carry over';
      return { day: want.day, action, reasons, rows: want.rows, features: want.features, previous };
    })
    .sort((a, b) => (a.day < b.day ? -1 : 1));
  const work = partitions.filter((partition) => partition.action !== 'keep');
  const schemaChanged = work.some((partition) => partition.reasons.includes('schema changed'));
  const kind = work.length === 0 ? 'none' : work.length === partitions.length || schemaChanged ? 'full' : 'partial';
  return {
    kind,
    partitions,
    toScore: work.length,
    rows: work.reduce((sum, partition) => sum + (partition.rows ?? 0), 0),
  };
}

/**
 * The days whose predictions are kept right: the newest ones, and each day that a withdrawn release has written, however
 * old, because a reader may still use what it left behind.
 */
export function daysToReconcile(
  days: readonly string[],
  newest: number,
  actual: readonly Pick<PredictionInputs, 'day' | 'release'>[],
  withdrawn: readonly Digest[],
): string[] {
  const kept = [...days].sort().slice(-newest);
  return [...new Set([...kept, ...blastRadius(actual, withdrawn)])].sort();
}

/** The days whose published predictions were made by one of these releases. */
export function blastRadius(
  actual: readonly Pick<PredictionInputs, 'day' | 'release'>[],
  releases: readonly Digest[],
): string[] {
  return actual
    .filter((manifest) => releases.includes(manifest.release))
    .map((manifest) => manifest.day)
    .sort();
}

function reasonsFor(want: DesiredPredictions, have: PredictionInputs | undefined): Reason[] {
  if (have === undefined) return ['no predictions yet'];
  const reasons: Reason[] = [];
  if (want.features !== have.features) reasons.push(want.isWithdrawn ? 'events withdrawn' : 'features changed');
  if (want.release !== have.release) reasons.push('release changed');
  if (want.scorer !== have.scorer) reasons.push('scorer changed');
  if (want.schema !== have.schema) reasons.push('schema changed');
  return reasons;
}
