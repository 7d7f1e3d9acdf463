import type { OpenRefusal } from '#domain/data/open-refusal.ts';
import type { Digest } from '#domain/canonical/digest.ts';
import type { AdmittedPartition } from '#domain/data/partition.ts';
import type { PredictionState } from '#domain/prediction/desired.ts';
import { ReleaseManifest } from '#domain/release/manifest.ts';
import { readDocument } from '#ports/documents.ts';
import type { ArtifactStore } from '#ports/artifact-store.ts';
import type { Ledger } from '#ports/ledger.ts';
import { definitionOf, type StoredDefinition } from '#read-model/definitions.ts';
import { readCatalogue } from '#read-model/partitions.ts';
import { readPredictions } from '#read-model/predictions.ts';
import { readOpenRefusals } from '#read-model/refusals.ts';

export interface ReadingPredictions {
  readonly ledger: Ledger;
  readonly releases: ArtifactStore;
  /** The version of the engine that runs the SQL. */
  readonly engine: string;
  readonly scorer: Digest;
}

/** All that the plan of a batch run is made from, as it stands now, and the refusals that stand against it. */
export async function readPredictionState(
  deps: ReadingPredictions,
  model: string,
  release: Digest,
): Promise<{
  readonly source: StoredDefinition;
  readonly state: Omit<PredictionState, 'definition' | 'catalogue'> &
    Pick<StoredDefinition, 'definition'> & { readonly catalogue: readonly AdmittedPartition[] };
  readonly refusals: readonly OpenRefusal[];
}> {
  const { ledger, releases, engine, scorer } = deps;
  const source = await definitionOf(releases, release);
  const schema = (await readDocument(releases, ReleaseManifest, release)).schemas.output;
  const [catalogue, manifests, refusals] = await Promise.all([
    readCatalogue(ledger, model),
    readPredictions(ledger, model),
    readOpenRefusals(ledger, model),
  ]);
  const { definition } = source;
  return { source, state: { definition, release, schema, engine, scorer, catalogue, manifests }, refusals };
}
