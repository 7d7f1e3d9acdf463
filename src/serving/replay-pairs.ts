import type { AnsweredPair, ShadowAnswer } from '#domain/canary/shadow-batches.ts';
import { GatehouseError } from '#domain/error.ts';
import type { LoggedRequest } from '#domain/prediction/request-log.ts';
import type { PairReplay } from '#ports/answer-replay.ts';
import type { StoredRequests } from '#ports/request-log.ts';
import { pairLists } from './pair-lists.ts';
import type { ListedAggregates } from './release.ts';
import { rowsOf } from './replay.ts';
import { loadReplayed, type ReplayedDay, type ReplayedRelease, type ReplayingPairs } from './replayed-release.ts';

/**
 * Answers stored requests again by champion and candidate, in one process and one after the other, each the first in turn. Both see the daily
 * aggregates of the request's receipt; a candidate of another basis sees its own of the same days. Loading is not measured, as endpoints do not
 * load for each request. @throws GatehouseError `CHAMPION_NOT_LOADED`, and what reading from a store throws
 */
export async function replayPairs(
  deps: ReplayingPairs,
  asked: Parameters<PairReplay['replayPairs']>[0],
): ReturnType<PairReplay['replayPairs']> {
  const champion = await loadReplayed(deps, asked.champion);
  let candidate: ReplayedRelease | undefined;
  try {
    const { definition } = champion;
    if (definition === undefined) {
      const message = `the champion ${asked.champion} does not load: ${champion.whyFailed() ?? ''}`;
      throw new GatehouseError('CHAMPION_NOT_LOADED', message, { release: asked.champion });
    }
    candidate = await loadReplayed(deps, asked.candidate);
    const lists = pairLists(deps.documents, asked.candidateAggregates);
    const definitions = { champion: definition, candidate: candidate.definition };
    const { requests, raw } = asked.requests;
    const pairs: (AnsweredPair & { readonly startedAt: string })[] = [];
    let [leftOut, notReached] = [0, 0];
    const groups = Map.groupBy(requests, (each) => JSON.stringify([each.aggregates, each.aggregatesUntil, each.day]));
    for (const group of groups.values()) {
      const [first] = group;
      if (first === undefined) continue;
      const found = asked.isOver() ? undefined : await lists(first, definitions);
      const day = found && (await openPair(first.day, [champion, found.champion], [candidate, found.candidate]));
      try {
        for (const request of group) {
          if (asked.isOver()) {
            notReached += 1;
            continue;
          }
          const isKept = 'events' in rowsOf(request, raw, definition);
          const pair = day && isKept ? await day.answer(request, raw, pairs.length % 2 === 1) : undefined;
          if (pair === undefined) leftOut += 1;
          else pairs.push({ ...pair, startedAt: request.startedAt });
        }
      } finally {
        await day?.end();
      }
    }
    return {
      pairs: pairs.toSorted((a, b) => (a.startedAt < b.startedAt ? -1 : Number(a.startedAt > b.startedAt))),
      leftOut,
      notReached,
      whyFailed: candidate.whyFailed(),
    };
  } finally {
    await Promise.all([champion.close(), candidate?.close()]);
  }
}

type Side = readonly [release: ReplayedRelease, list: ListedAggregates | undefined];

/** Opens a day of events for both; undefined where aggregates are gone that one of them needs. */
async function openPair(day: string, [champion, receipts]: Side, [candidate, own]: Side) {
  const of = { champion: await champion.open(day, receipts), candidate: undefined as ReplayedDay | undefined };
  const end = async (): Promise<void> => {
    for (const each of [of.champion, of.candidate]) if (each?.kind === 'open') await each.end();
  };
  try {
    if (of.champion.kind === 'failed')
      throw new GatehouseError(
        'CHAMPION_NOT_LOADED',
        `the champion does not answer events of ${day}: ${of.champion.reason}`,
      );
    of.candidate = await candidate.open(day, own);
  } catch (fault) {
    await end();
    throw fault;
  }
  const days = { champion: of.champion, candidate: of.candidate };
  return {
    end,
    async answer(
      request: LoggedRequest,
      raw: StoredRequests['raw'],
      isCandidateFirst: boolean,
    ): Promise<AnsweredPair | undefined> {
      if (days.champion.kind !== 'open' || days.candidate.kind === 'gone') return undefined;
      const answers: { champion: ShadowAnswer; candidate: ShadowAnswer } = { champion: null, candidate: null };
      for (const side of isCandidateFirst
        ? (['candidate', 'champion'] as const)
        : (['champion', 'candidate'] as const)) {
        const opened = days[side];
        if (opened.kind === 'open') answers[side] = await opened.answer(request, raw);
      }
      return answers;
    },
  };
}
