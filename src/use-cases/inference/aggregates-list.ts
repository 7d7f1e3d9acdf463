import type { Digest } from '#domain/canonical/digest.ts';
import type { Write } from '#domain/ledger/item.ts';
import { keys } from '#domain/ledger/keys.ts';
import { type AggregateDays, AggregatesList, type PublishedAggregates } from '#domain/prediction/aggregates.ts';
import type { ArtifactStore } from '#ports/artifact-store.ts';
import type { Clock } from '#ports/clock.ts';
import { writeDocument } from '#ports/documents.ts';
import type { Lake } from '#ports/lake.ts';
import type { Ledger } from '#ports/ledger.ts';
import { findAggregates } from '#read-model/aggregates.ts';

/** What publishing a list of aggregates needs. */
export interface ListPublication {
  readonly ledger: Ledger;
  readonly lake: Pick<Lake, 'built'>;
  readonly documents: ArtifactStore;
  readonly clock: Clock;
}

/** Daily aggregates that endpoints should load, and whoever publishes them. */
export interface PlannedList {
  readonly model: string;
  readonly basis: Digest;
  readonly historyFrom: string;
  readonly days: AggregateDays;
  /** The batch run or the promotion. */
  readonly run: string;
  readonly epoch: number;
}

/**
 * The writes that name the daily aggregates which endpoints load: those of the plan up to the first that is not built. Where
 * none is built, what is published stays, and grows old.
 */
export async function listWrites(
  { ledger, lake, documents, clock }: ListPublication,
  lists: readonly PlannedList[],
): Promise<readonly Write[]> {
  const [first] = lists;
  if (first === undefined) return [];
  const built = await lake.built('daily', first.model);
  const writes = lists.map(async ({ model, basis, historyFrom, days, run, epoch }): Promise<readonly Write[]> => {
    const unbuilt = days.findIndex(({ digest }) => !built.has(digest));
    const there = [...(unbuilt < 0 ? days : days.slice(0, unbuilt))];
    const until = there.at(-1)?.day;
    if (until === undefined) return [];
    const list = await writeDocument(documents, AggregatesList, {
      formatVersion: 1,
      model,
      basis,
      historyFrom,
      days: there,
    });
    // When it was published says whether aggregates still arrive: the same list is not published again.
    if ((await findAggregates(ledger, model, basis))?.list === list) return [];
    const publishedAt = clock.now().toISOString();
    const published: PublishedAggregates = { formatVersion: 1, model, basis, list, until, run, epoch, publishedAt };
    return [{ kind: 'put', item: { ...keys.aggregates(model, basis), ...published } }];
  });
  return (await Promise.all(writes)).flat();
}
