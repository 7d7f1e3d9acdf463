import type { Digest } from '../canonical/digest.ts';
import {
  type CataloguePartition,
  type FeatureDefinition,
  featurePlanner,
  newestPartitions,
} from '../data/feature-plan.ts';
import type { ModelDefinition } from '../model/definition.ts';
import type { WaitingDay } from './blocked.ts';
import type { PredictionManifest } from './manifest.ts';
import {
  daysToReconcile,
  type DesiredPredictions,
  planReconciliation,
  type ReconciliationPlan,
} from './reconciliation.ts';

/** What an environment serves, has, and computes with: all that the plan of a batch run is made from. */
export interface PredictionState {
  readonly definition: FeatureDefinition & Pick<ModelDefinition, 'predictions'>;
  /** The release that the pointer names, and the digest of its output schema. */
  readonly release: Digest;
  readonly schema: Digest;
  readonly engine: string;
  readonly scorer: Digest;
  readonly catalogue: readonly CataloguePartition[];
  readonly manifests: readonly PredictionManifest[];
}

/** The plan of a batch run, and the days that cannot be scored yet with what they wait for. */
export interface PlannedPredictions {
  readonly plan: ReconciliationPlan;
  readonly waiting: readonly WaitingDay[];
}

/** Plans what makes the store of predictions what the pointer and the data say; nothing is read or changed. */
export function planPredictions(state: PredictionState): PlannedPredictions {
  const { definition, release, schema, scorer, catalogue, manifests } = state;
  const events = newestPartitions(catalogue, 'events');
  const withdrawn = [...new Set(manifests.map((manifest) => manifest.release))].filter((each) => each !== release);
  const days = daysToReconcile([...events.keys()], definition.predictions.days, manifests, withdrawn);
  const featuresOf = featurePlanner(definition, state.engine, catalogue);
  const rowsOf = rowEstimate(events, manifests);
  const desired: DesiredPredictions[] = [];
  const waiting: WaitingDay[] = [];
  for (const day of days) {
    const features = featuresOf(day);
    if (features.ready) {
      const isWithdrawn = events.get(day)?.objects.length === 0;
      desired.push({ day, features: features.digest, release, scorer, schema, rows: rowsOf(day), isWithdrawn });
    } else waiting.push({ day, missing: features.missing });
  }
  return { plan: planReconciliation(desired, manifests), waiting };
}

/** A day's rows by its bytes and the rows per byte of what is published; null while nothing is. */
function rowEstimate(
  events: ReadonlyMap<string, CataloguePartition>,
  manifests: readonly PredictionManifest[],
): (day: string) => number | null {
  const bytesOf = (day: string): number => events.get(day)?.objects.reduce((sum, { size }) => sum + size, 0) ?? 0;
  const bytes = manifests.reduce((sum, { day }) => sum + bytesOf(day), 0);
  const rows = manifests.reduce((sum, manifest) => sum + manifest.rows, 0);
  return (day) => (bytesOf(day) === 0 ? 0 : bytes === 0 ? null : Math.round((rows / bytes) * bytesOf(day)));
}
