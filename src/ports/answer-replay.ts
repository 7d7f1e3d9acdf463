import type { AnsweredPair } from '#domain/canary/shadow-batches.ts';
import type { Digest } from '#domain/canonical/digest.ts';
import type { ModelDefinition } from '#domain/model/definition.ts';
import type { LoggedRequest } from '#domain/prediction/request-log.ts';
import type { Refusal } from '#domain/refusal/refusal.ts';
import type { EventRow } from './online-features.ts';
import type { StoredRequests } from './request-log.ts';

/** Answers again what an endpoint has answered, by the code that endpoints run. */
export interface AnswerReplay {
  /** The events and their context that an endpoint reads of the body of a request. */
  read(
    definition: ModelDefinition,
    body: unknown,
  ):
    | { readonly kind: 'read'; readonly events: readonly EventRow[]; readonly context: readonly EventRow[] }
    | { readonly kind: 'refused'; readonly refusal: Refusal };
  /** The probabilities of each request, in the order of the requests that are given back, or why there are none. */
  replay(
    model: string,
    requests: StoredRequests,
    folder: string,
  ): Promise<
    readonly {
      readonly request: LoggedRequest;
      readonly outcome:
        | { readonly kind: 'computed'; readonly probabilities: readonly number[] }
        | { readonly kind: 'not-kept' }
        | { readonly kind: 'impossible'; readonly reason: string };
    }[]
  >;
}

/** Answers by two releases what a champion has answered, by the code that endpoints run. */
export interface PairReplay {
  /** @throws GatehouseError where the champion does not load, or a store cannot be read */
  replayPairs(asked: {
    readonly model: string;
    readonly candidate: Digest;
    readonly champion: Digest;
    /**
     * The list of daily aggregates of the candidate's own basis; null where none is published, and where its basis is the champion's: then
     * both read what the receipts name.
     */
    readonly candidateAggregates: Digest | null;
    /** Requests that the champion answered. */
    readonly requests: StoredRequests;
    readonly folder: string;
    /** Whether there is no time left for another request. */
    readonly isOver: () => boolean;
  }): Promise<{
    readonly pairs: readonly AnsweredPair[];
    /** Requests whose raw events or aggregates are gone, or of which the candidate has no aggregates. */
    readonly leftOut: number;
    /** Requests for which there was no time. */
    readonly notReached: number;
    /** Why the candidate failed the first request that it failed; undefined where it failed none. */
    readonly whyFailed: string | undefined;
  }>;
}
