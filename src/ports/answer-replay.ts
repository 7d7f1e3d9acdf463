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
