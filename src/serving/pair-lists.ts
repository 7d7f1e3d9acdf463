import { type Digest, digestOf } from '#domain/canonical/digest.ts';
import { aggregateBasis, firstAggregateOf } from '#domain/data/feature-plan.ts';
import { daysBetween } from '#domain/data/partition.ts';
import { GatehouseError } from '#domain/error.ts';
import type { ModelDefinition } from '#domain/model/definition.ts';
import { aggregatesFor, AggregatesList } from '#domain/prediction/aggregates.ts';
import type { LoggedRequest } from '#domain/prediction/request-log.ts';
import type { ReadableStore } from '#ports/artifact-store.ts';
import { readDocument } from '#ports/documents.ts';
import type { ListedAggregates } from './release.ts';
import { whyOtherAggregates } from './replay.ts';

/** The lists of daily aggregates that a stored request is answered again by; undefined for a release that reads none. */
export interface PairLists {
  readonly champion: ListedAggregates | undefined;
  readonly candidate: ListedAggregates | undefined;
}

/**
 * Finds those lists: the one of the receipt for the champion, and for a candidate of the same basis; for one of another basis its own, as far as
 * the receipt's goes, so that neither sees a day more. Undefined where one of them is gone, or does not reach that far.
 * @param own the current list of the candidate's basis, if it has another one than the champion
 */
export function pairLists(documents: ReadableStore, own: Digest | null) {
  const known = new Map<Digest, Promise<AggregatesList | undefined>>();
  const read = (digest: Digest): Promise<AggregatesList | undefined> => {
    const list = known.get(digest) ?? readList(documents, digest);
    known.set(digest, list);
    return list;
  };
  return async (
    request: Pick<LoggedRequest, 'aggregates' | 'aggregatesUntil' | 'day' | 'startedAt'>,
    definitions: { readonly champion: ModelDefinition; readonly candidate: ModelDefinition | undefined },
  ): Promise<PairLists | undefined> => {
    const { aggregates, aggregatesUntil: until, day, startedAt: publishedAt } = request;
    const listed = aggregates === null ? undefined : await read(aggregates);
    if (aggregates !== null && listed === undefined) return undefined;
    const days = listed === undefined ? [] : aggregatesFor(listed.days, day, definitions.champion);
    if (whyOtherAggregates(request, days) !== undefined) return undefined;
    const champion =
      aggregates === null || listed === undefined
        ? undefined
        : { list: aggregates, days: listed.days, historyFrom: listed.historyFrom, publishedAt };
    const { candidate: definition } = definitions;
    if (definition === undefined || definition.features.aggregateDays === 0) return { champion, candidate: undefined };
    const basis = aggregateBasis(definition);
    if (listed?.basis === basis) return { champion, candidate: champion };
    const its = own === null ? undefined : await read(own);
    if (own === null || its === undefined) return undefined;
    if (its.basis !== basis)
      throw new GatehouseError('BAD_DOCUMENT', `the list ${own} is of another basis than the candidate's, ${basis}`, {
        list: own,
      });
    const shown = its.days.filter((each) => each.day < day && (until === null || each.day <= until));
    const last = shown.at(-1)?.day;
    const first = firstAggregateOf(definition, day, its.historyFrom);
    if (last === undefined || (until !== null && last !== until) || shown.every((each) => each.day > first))
      return undefined;
    if (daysBetween(last, day).length - 1 > (definition.online?.maxAggregateAgeDays ?? 0)) return undefined;
    // Another part of a list is another one.
    const list = digestOf(`${own} ${last}`);
    return { champion, candidate: { list, days: shown, historyFrom: its.historyFrom, publishedAt } };
  };
}

async function readList(documents: ReadableStore, digest: Digest): Promise<AggregatesList | undefined> {
  try {
    return await readDocument(documents, AggregatesList, digest);
  } catch (error) {
    if (error instanceof GatehouseError && error.code === 'ARTIFACT_MISSING') return undefined;
    throw error;
  }
}
