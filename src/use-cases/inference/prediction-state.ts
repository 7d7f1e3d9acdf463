import type { OpenRefusal } from '#domain/data/open-refusal.ts';
import type { Digest } from '#domain/canonical/digest.ts';
import type { AdmittedPartition } from '#domain/data/partition.ts';
import { withoutKey } from '#domain/ledger/item.ts';
import { keys } from '#domain/ledger/keys.ts';
import type { PredictionState } from '#domain/prediction/desired.ts';
import { PredictionManifest } from '#domain/prediction/manifest.ts';
import { openManifest } from '#domain/release/manifest.ts';
import type { ArtifactStore } from '#ports/artifact-store.ts';
import type { Ledger } from '#ports/ledger.ts';
import { definitionOf, readCatalogue, type StoredDefinition } from '#use-cases/data/catalogue.ts';
import { openRefusals } from '#use-cases/data/open-refusals.ts';

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
  const schema = openManifest(await releases.read(release)).schemas.output;
  const [catalogue, items, refusals] = await Promise.all([
    readCatalogue(ledger, model),
    ledger.query(keys.predictions(model)),
    openRefusals(ledger, model),
  ]);
  const manifests = items.map((item) => withoutKey(PredictionManifest, item));
  const { definition } = source;
  return { source, state: { definition, release, schema, engine, scorer, catalogue, manifests }, refusals };
}
