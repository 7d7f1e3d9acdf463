import { z } from 'zod';
import type { Write } from '#domain/ledger/item.ts';
import { Day } from '#domain/model/definition.ts';
import { AggregatesList, aggregatesWrite, type PublishedAggregates } from '#domain/prediction/aggregates.ts';
import type { BatchPlan } from '#domain/prediction/manifest.ts';
import type { ArtifactStore } from '#ports/artifact-store.ts';
import type { Clock } from '#ports/clock.ts';
import { writeDocument } from '#ports/documents.ts';
import type { Lake } from '#ports/lake.ts';
import type { ReadableLedger } from '#ports/ledger.ts';
import { findAggregates } from '#read-model/aggregates.ts';

/** What becomes of the lists of daily aggregates that a batch run was to publish. */
export const ListsOutcome = z.object({
  published: z.int(),
  /** Lists that were replaced since the run was planned: those that were published since stay. */
  superseded: z.int(),
  /** The first day of each list that is not built. */
  unbuilt: z.array(Day),
});

export interface ListPublication {
  readonly ledger: ReadableLedger;
  readonly lake: Pick<Lake, 'built'>;
  readonly documents: ArtifactStore;
  readonly clock: Clock;
}

interface Publishing {
  readonly writes: readonly Write[];
  readonly outcome: z.output<typeof ListsOutcome>;
  /** Lists that were to be replaced, and stay. */
  readonly kept: number;
}

/** The writes of a run that has no lists to publish. */
export const NO_LISTS: Publishing = { writes: [], outcome: { published: 0, superseded: 0, unbuilt: [] }, kept: 0 };

/**
 * The writes that name the daily aggregates which endpoints load: those of the plan up to the first that is not built. What is published
 * stays, and grows old, where that is no newer, or where it is not what the run's plan saw.
 */
export async function listWrites(
  { ledger, lake, documents, clock }: ListPublication,
  { model, run, epoch, aggregates = [] }: BatchPlan,
): Promise<Publishing> {
  if (aggregates.length === 0) return NO_LISTS;
  const built = await lake.built('daily', model);
  const lists = await Promise.all(
    aggregates.map(async ({ basis, historyFrom, days, replaces }): Promise<Publishing> => {
      const missing = days.find(({ digest }) => !built.has(digest))?.day;
      const there = days.filter(({ day }) => missing === undefined || day < missing);
      const unbuilt = missing === undefined ? [] : [missing];
      const list = await writeDocument(documents, AggregatesList, {
        formatVersion: 1,
        model,
        basis,
        historyFrom,
        days: there,
      });
      const before = await findAggregates(ledger, model, basis);
      // When it was published says whether aggregates still arrive: the same list is not published again.
      if (before?.list === list) {
        const published = before.run === run ? 1 : 0;
        return { writes: [], outcome: { published, superseded: 0, unbuilt }, kept: 0 };
      }
      if ((before?.list ?? null) !== replaces)
        return { writes: [], outcome: { published: 0, superseded: 1, unbuilt }, kept: 1 };
      const until = there.at(-1)?.day;
      const isOlder = missing !== undefined && before !== undefined && (until ?? '') <= before.until;
      if (until === undefined || isOlder)
        return { writes: [], outcome: { published: 0, superseded: 0, unbuilt }, kept: 1 };
      const publishedAt = clock.now().toISOString();
      const published: PublishedAggregates = { formatVersion: 1, model, basis, list, until, run, epoch, publishedAt };
      const outcome = { published: 1, superseded: 0, unbuilt };
      return { writes: [aggregatesWrite(published, replaces)], outcome, kept: 0 };
    }),
  );
  const sum = (of: (list: Publishing) => number): number => lists.reduce((total, list) => total + of(list), 0);
  return {
    writes: lists.flatMap(({ writes }) => writes),
    outcome: {
      published: sum(({ outcome }) => outcome.published),
      superseded: sum(({ outcome }) => outcome.superseded),
      unbuilt: [...new Set(lists.flatMap(({ outcome }) => outcome.unbuilt))].sort(),
    },
    kept: sum(({ kept }) => kept),
  };
}
