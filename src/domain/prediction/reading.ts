import type { Digest } from '../canonical/digest.ts';
import type { Refusal } from '../refusal/refusal.ts';
import type { ModelDefinition } from '../model/definition.ts';
import type { PredictionManifest } from './manifest.ts';

/** What a reader of predictions wants, and what the environment serves. */
export interface Wanted {
  readonly day: string;
  /** The release that the reader names; the served one, if it names none. */
  readonly release: Digest | undefined;
  readonly served: Digest;
  readonly onMismatch: ModelDefinition['predictions']['onMismatch'];
}

/** What a reader gets: a whole partition of the release it means, or why not. */
export type Reading =
  | { readonly kind: 'published'; readonly manifest: PredictionManifest }
  | { readonly kind: 'absent'; readonly refusal: Refusal }
  | {
      readonly kind: 'mismatch';
      readonly wanted: Digest;
      readonly published: Digest;
      /** Whether a batch run is to be started: the model says so, and it would end with what the reader wants. */
      readonly recompute: boolean;
      readonly refusal: Refusal;
    };

/**
 * Holds what is published for a day against the release that its reader means. No reader gets another release's
 * predictions without knowing; a recompute is worth starting only towards what the pointer names.
 */
export function readPartition(manifest: PredictionManifest | undefined, wanted: Wanted): Reading {
  const release = wanted.release ?? wanted.served;
  if (manifest === undefined) {
    const found = `no predictions of ${wanted.day} are published`;
    const remedy = 'see what a batch run would do: gatehouse prediction plan MODEL --env ENV';
    return { kind: 'absent', refusal: { rule: 'predictions-published', found, remedy } };
  }
  if (manifest.release === release) return { kind: 'published', manifest };
  const isServed = release === wanted.served;
  const found = `the predictions of ${wanted.day} are of ${manifest.release}, requested: ${release}`;
  const remedy = isServed
    ? 'wait for the batch run, or start one: gatehouse prediction run MODEL --env ENV'
    : `request what is served, ${wanted.served}; predictions of a release that is not served are not made`;
  return {
    kind: 'mismatch',
    wanted: release,
    published: manifest.release,
    recompute: isServed && wanted.onMismatch === 'recompute',
    refusal: { rule: 'prediction-release', found, remedy },
  };
}

/** A row of a look-up, as far as the reading of its partition decides about it. */
interface NamedRow {
  readonly day: string;
  readonly predictions: Digest;
}

/** The rows that count: those of the partitions that the manifests name. Rows of other versions may stand beside them. */
export function rowsThatCount<R extends NamedRow>(
  rows: readonly R[],
  named: ReadonlyMap<string, Digest>,
): readonly R[] {
  return rows.filter(({ day, predictions }) => named.get(day) === predictions);
}
