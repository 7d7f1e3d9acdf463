import type { Digest } from '#domain/canonical/digest.ts';
import { confirmedReleases } from '#domain/promotion/pointer.ts';
import type { PredictionManifest } from '#domain/prediction/manifest.ts';
import type { ReadableLedger } from '#ports/ledger.ts';
import { readPublishedAggregates } from '#read-model/aggregates.ts';
import { findPublished } from '#read-model/cursors.ts';
import { readPointer } from '#read-model/pointer.ts';
import { readPredictions } from '#read-model/predictions.ts';
import { readRegistrations } from '#read-model/registrations.ts';

/** Records that are looked at together. */
export const RECORDS_AT_ONCE = 100;

/** What is looked at together, because one part of it names the others; by a name that is the same each time. */
export type StoredUnit = { readonly name: string; readonly model: string } & (
  | { readonly kind: 'release'; readonly release: Digest; readonly affects: readonly string[] }
  | { readonly kind: 'predictions'; readonly manifest: PredictionManifest }
  | { readonly kind: 'aggregates'; readonly list: Digest }
  | { readonly kind: 'records'; readonly from: number; readonly to: number }
);

/** Everything stored that an environment's ledger refers to of a model: what a bucket's listing would not say is missing. */
export async function storedUnits(
  ledger: ReadableLedger,
  model: string,
  has: { readonly releases: boolean; readonly catalogue: boolean },
): Promise<readonly StoredUnit[]> {
  const [releases, predictions, aggregates, published] = await Promise.all([
    has.releases ? releasesOf(ledger, model) : new Map<Digest, readonly string[]>(),
    has.catalogue ? readPredictions(ledger, model) : [],
    readPublishedAggregates(ledger, model),
    findPublished(ledger, model),
  ]);
  const records = Math.ceil(((published ?? -1) + 1) / RECORDS_AT_ONCE);
  return [
    ...[...releases].map(([release, affects]) => ({
      kind: 'release' as const,
      name: `release ${release}`,
      model,
      release,
      affects,
    })),
    ...predictions.map((manifest) => ({
      kind: 'predictions' as const,
      name: `predictions ${manifest.day}`,
      model,
      manifest,
    })),
    ...aggregates.map(({ basis, list }) => ({ kind: 'aggregates' as const, name: `aggregates ${basis}`, model, list })),
    ...Array.from({ length: records }, (_, index) => {
      const from = index * RECORDS_AT_ONCE;
      const to = Math.min(published ?? -1, from + RECORDS_AT_ONCE - 1);
      return { kind: 'records' as const, name: `records ${from}`, model, from, to };
    }),
  ];
}

/** The releases that are served, that a rollback may go to, or that are registered; each with what it is needed for. */
async function releasesOf(ledger: ReadableLedger, model: string): Promise<ReadonlyMap<Digest, readonly string[]>> {
  const found = new Map<Digest, string[]>();
  const add = (release: Digest, need: string): void => void found.set(release, [...(found.get(release) ?? []), need]);
  const pointer = await readPointer(ledger, model);
  if (pointer !== undefined) add(pointer.current, `the served release ${pointer.version}`);
  for (const { release, version } of confirmedReleases(pointer))
    if (release !== pointer?.current) add(release, `the rollback target ${version}`);
  for (const { release, version } of await readRegistrations(ledger, model)) add(release, `version ${version}`);
  return found;
}
