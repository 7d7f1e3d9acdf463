import { z } from 'zod';
import { shadowBatches, ShadowReplay } from '#domain/canary/shadow-batches.ts';
import { Digest } from '#domain/canonical/digest.ts';
import type { LoggedRequest } from '#domain/prediction/request-log.ts';
import type { PairReplay } from '#ports/answer-replay.ts';
import type { ArtifactStore } from '#ports/artifact-store.ts';
import { writeDocument } from '#ports/documents.ts';
import type { NewestRequests } from '#ports/request-log.ts';
import { withFolder } from '#use-cases/data/local-files.ts';
import { contract, type Task } from '#use-cases/task.ts';

/** Most requests of a call: their raw events are held in memory. */
const MOST = 5000;

export const ReplayShadow = contract({
  input: z.object({
    model: z.string(),
    candidate: Digest,
    champion: Digest,
    /** The current list of daily aggregates of the candidate's basis; null where it has none. It is read where the champion's basis is another one. */
    candidateAggregates: Digest.nullable(),
    from: z.iso.datetime(),
    until: z.iso.datetime(),
    most: z.int().min(1).max(MOST),
    /** Milliseconds that the model promises; null where it promises none. */
    objectiveMs: z.number().nullable(),
    /** The probability from which on people act; null where the model says none. */
    threshold: z.number().min(0).max(1).nullable(),
  }),
  output: z.discriminatedUnion('status', [
    /** No request of the window has raw events that are kept. */
    z.object({ status: z.literal('no-events'), leftOut: z.int().nonnegative() }),
    z.object({
      status: z.literal('replayed'),
      pairs: Digest,
      count: z.int().nonnegative(),
      /** Requests whose raw events or aggregates are gone, or of which the candidate has no aggregates. */
      leftOut: z.int().nonnegative(),
      /** Requests for which there was no time. */
      notReached: z.int().nonnegative(),
      /** Requests that neither answered, which are no pairs: they say nothing of the candidate. */
      bothFailed: z.int().nonnegative(),
      /** Why the candidate failed the first request that it failed; empty where it failed none. */
      reason: z.string(),
    }),
  ]),
});

/**
 * Answers the newest stored requests of the champion again, by the candidate and by itself, and counts where they differ: what the same machine
 * gives at the same time is compared, not what an endpoint gave earlier. Each event counts once, however often it was asked for.
 */
export function replayShadow(deps: {
  readonly documents: Pick<ArtifactStore, 'write'>;
  readonly requests: NewestRequests;
  readonly replaying: PairReplay;
  /** Milliseconds since any moment, and after how many no other request is begun. */
  readonly milliseconds: () => number;
  readonly budgetMs: number;
}): Task {
  return ReplayShadow.task(({ model, candidate, champion, candidateAggregates, from, until, most, ...rule }) =>
    withFolder(async (folder) => {
      const began = deps.milliseconds();
      const window = { from: new Date(from), until: new Date(until) };
      const { notKept, requests, raw } = await deps.requests.readNewest({ model, release: champion, ...window, most });
      if (requests.length === 0) return { status: 'no-events' as const, leftOut: notKept };
      const replayed = await deps.replaying.replayPairs({
        model,
        candidate,
        champion,
        candidateAggregates,
        requests: { requests: onceEach(requests), raw },
        folder,
        isOver: () => deps.milliseconds() - began > deps.budgetMs,
      });
      const batches = shadowBatches(replayed.pairs, rule);
      const count = batches.reduce((sum, { pairs }) => sum + pairs, 0);
      const document = { formatVersion: 1 as const, model, candidate, champion, from, until, batches };
      return {
        status: 'replayed' as const,
        pairs: await writeDocument(deps.documents, ShadowReplay, document),
        count,
        leftOut: notKept + replayed.leftOut,
        notReached: replayed.notReached,
        bothFailed: replayed.pairs.length - count,
        reason: (replayed.whyFailed ?? '').slice(0, 300),
      };
    }),
  );
}

/** Of requests in order of time the first of each first event. */
function onceEach(requests: readonly LoggedRequest[]): readonly LoggedRequest[] {
  const seen = new Set<string>();
  return requests.filter(({ events: [first] }) => {
    const id = first?.id ?? '';
    const isNew = !seen.has(id);
    seen.add(id);
    return isNew;
  });
}
