import type { LoggedRequest } from '#domain/prediction/request-log.ts';
import type { StoredRequests } from './request-log.ts';

/** Answers again what an endpoint has answered, by the code that endpoints run. */
export interface AnswerReplay {
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
