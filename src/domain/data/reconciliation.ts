import type { Digest } from '../canonical/digest.ts';

/** Everything that a partition of predictions depends on. */
export interface PredictionInputs {
  readonly day: string;
  readonly features: Digest;
  readonly release: Digest;
  readonly scorer: Digest;
  readonly schema: Digest;
  /** Rows that scoring it means, for the plan's estimate. */
  readonly rows: number;
}

/** Why a partition is scored again. */
export type Reason =
  | 'no predictions yet'
  | 'features changed'
  | 'release changed'
  | 'scorer changed'
  | 'schema changed';

/** What happens to one partition. */
export interface PartitionAction {
  readonly day: string;
  readonly action: 'score' | 'keep';
  readonly reasons: readonly Reason[];
  readonly rows: number;
}

/** What has to be done for the predictions to be what they should be. */
export interface ReconciliationPlan {
  readonly kind: 'none' | 'partial' | 'full';
  readonly partitions: readonly PartitionAction[];
  readonly toScore: number;
  readonly rows: number;
}

/**
 * Compares what the predictions should be made from with what they were made from. All partitions, or a changed
 * schema, make a full reconciliation; partitions that are right already are kept in any case.
 */
export function planReconciliation(
  desired: readonly PredictionInputs[],
  actual: readonly Omit<PredictionInputs, 'rows'>[],
): ReconciliationPlan {
  const manifests = new Map(actual.map((manifest) => [manifest.day, manifest]));
  const partitions = desired
    .map((want): PartitionAction => {
      const reasons = reasonsFor(want, manifests.get(want.day));
      return { day: want.day, action: reasons.length > 0 ? 'score' : 'keep', reasons, rows: want.rows };
    })
    .sort((a, b) => (a.day < b.day ? -1 : 1));
  const work = partitions.filter((partition) => partition.action === 'score');
  const schemaChanged = work.some((partition) => partition.reasons.includes('schema changed'));
  const kind = work.length === 0 ? 'none' : work.length === partitions.length || schemaChanged ? 'full' : 'partial';
  return { kind, partitions, toScore: work.length, rows: work.reduce((sum, partition) => sum + partition.rows, 0) };
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

function reasonsFor(want: PredictionInputs, have: Omit<PredictionInputs, 'rows'> | undefined): Reason[] {
  if (have === undefined) return ['no predictions yet'];
  const reasons: Reason[] = [];
  if (want.features !== have.features) reasons.push('features changed');
  if (want.release !== have.release) reasons.push('release changed');
  if (want.scorer !== have.scorer) reasons.push('scorer changed');
  if (want.schema !== have.schema) reasons.push('schema changed');
  return reasons;
}
