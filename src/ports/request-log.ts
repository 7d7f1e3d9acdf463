import type { LoggedRequest, RequestEntry, RequestEvents } from '#domain/prediction/request-log.ts';

/** Where an endpoint says what it has answered. */
export interface RequestLog {
  /** Gets ready to write; called while a release is loaded. @throws what makes that impossible */
  open(): Promise<void>;
  /** Writes one answered request, before its answer is given. @throws what kept it from being written */
  write(request: LoggedRequest, raw: RequestEvents): Promise<void>;
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
}

/** The request log in the lake. */
export interface RequestStore extends RequestFiles {
  /** Adds entries; what was added before is there once. */
  add(entries: readonly RequestEntry[]): Promise<void>;
  read(model: string, day: string): Promise<StoredRequests>;
  /** The days of whose events there are answers, oldest first. */
  days(model: string): Promise<readonly string[]>;
}
