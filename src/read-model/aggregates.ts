import type { Digest } from '#domain/canonical/digest.ts';
import { aggregateBasis } from '#domain/data/feature-plan.ts';
import { keys } from '#domain/ledger/keys.ts';
import type { ModelDefinition } from '#domain/model/definition.ts';
import { AggregatesList, PublishedAggregates, servedDays } from '#domain/prediction/aggregates.ts';
import type { ReadableStore } from '#ports/artifact-store.ts';
import { readDocument } from '#ports/documents.ts';
import type { ReadableLedger } from '#ports/ledger.ts';
import { find, list } from './items.ts';

/** The days whose events an endpoint of a definition answers now. */
export async function answeredDays(
  { ledger, documents }: { readonly ledger: ReadableLedger; readonly documents: ReadableStore },
  definition: ModelDefinition,
  now: Date,
): Promise<readonly string[]> {
  const current =
    definition.features.aggregateDays === 0
      ? undefined
      : await readAggregates(ledger, documents, definition.name, aggregateBasis(definition));
  return servedDays(now.toISOString().slice(0, 10), current?.days.at(-1)?.day);
}

/** Which list of daily aggregates is current for a basis. */
export async function findAggregates(
  ledger: ReadableLedger,
  model: string,
  basis: Digest,
): Promise<PublishedAggregates | undefined> {
  return find(ledger, keys.aggregates(model, basis), PublishedAggregates);
}

/** The lists of daily aggregates of a model, each current for its basis. */
export async function readPublishedAggregates(
  ledger: ReadableLedger,
  model: string,
): Promise<readonly PublishedAggregates[]> {
  return list(ledger, keys.allAggregates(model), PublishedAggregates);
}

/** The current list of daily aggregates of a basis, with the digest that names it. */
export async function readAggregates(
  ledger: ReadableLedger,
  documents: ReadableStore,
  model: string,
  basis: Digest,
): Promise<
  (Pick<AggregatesList, 'days' | 'historyFrom'> & { readonly list: Digest; readonly publishedAt: string }) | undefined
> {
  const published = await findAggregates(ledger, model, basis);
  if (published === undefined) return undefined;
  const { list, publishedAt } = published;
  const { days, historyFrom } = await readDocument(documents, AggregatesList, list);
  return { list, days, historyFrom, publishedAt };
}
