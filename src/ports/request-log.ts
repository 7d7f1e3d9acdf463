import type { Digest } from '#domain/canonical/digest.ts';
import type { FailedRequest, LoggedRequest, RequestEntry, RequestEvents } from '#domain/prediction/request-log.ts';

/** Where an endpoint says what it has answered. */
export interface RequestLog {
  /** Gets ready to write; called while a release is loaded. @throws what makes that impossible */
  open(): Promise<void>;
  /** Writes one answered request, before its answer is given. @throws what kept it from being written */
  write(request: LoggedRequest, raw: RequestEvents): Promise<void>;
  /** Writes one request for predictions that nobody answered. @throws what kept it from being written */
  writeFailed(failed: FailedRequest): Promise<void>;
}

/** The answered requests of a model's day of events, as the lake has them. */
export interface StoredRequests {
  readonly requests: readonly LoggedRequest[];
  /** Raw events, and contexts, as canonical JSON by their digests; those whose retention is over are gone. */
  readonly raw: ReadonlyMap<string, string>;
}

/** The request log in the lake, as files. */
export interface RequestFiles {
  /**
   * Copies the files of a day's answers into a folder: Parquet, a row for each request; some may hold the same one.
   *
   * @param since leaves out files of minutes before it; requests of its own minute are there
   */
  fetch(model: string, day: string, folder: string, since?: Date): Promise<readonly string[]>;
  /** Copies the files of requests that nobody answered, of events of all days: newline-delimited JSON, some lines maybe twice. */
  fetchFailed(model: string, folder: string, since: Date): Promise<readonly string[]>;
}

/** The request log in the lake. */
export interface RequestStore extends RequestFiles {
  /** Adds entries; what was added before is there once. */
  add(entries: readonly RequestEntry[]): Promise<void>;
  /** Adds requests that nobody answered, of whatever models; the same ones are there once if they come together again. */
  addFailed(failed: readonly FailedRequest[]): Promise<void>;
  read(model: string, day: string): Promise<StoredRequests>;
  /** The days of whose events there are answers, oldest first. */
  days(model: string): Promise<readonly string[]>;
}

/** The newest requests of the request log in the lake. */
export interface NewestRequests {
  /**
   * The newest requests of a window that a release answered and whose raw events are kept, in order of time, with those raw events; fewer
   * than asked for where theirs are too long to be held.
   */
  readNewest(asked: {
    readonly model: string;
    readonly release: Digest;
    readonly from: Date;
    /** The first moment that is left out. */
    readonly until: Date;
    readonly most: number;
  }): Promise<
    StoredRequests & {
      /** How many requests of the release were met whose raw events are not kept, or not any more. */
      readonly notKept: number;
    }
  >;
}
