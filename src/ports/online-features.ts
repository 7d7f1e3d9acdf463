import type { Refusal } from '#domain/refusal/refusal.ts';
import type { ModelDefinition } from '#domain/model/definition.ts';
import type { DayFile } from './feature-engine.ts';

/**
 * An event as a request has it: values by the names of `definition.events.columns`, a TIMESTAMP as ISO-8601 text in UTC of at most
 * microseconds, a DATE as YYYY-MM-DD. Other names are ignored, as other columns of a file are.
 */
export type EventRow = Readonly<Record<string, string | number | bigint | boolean | null>>;

/** An event of a file as a request would have it, and its time. */
export interface ReadEvent {
  readonly row: EventRow;
  /** Microseconds since 1970, in UTC. */
  readonly at: bigint;
}

/** The features of a request's events, or why there are none. */
export type RequestFeatures =
  | { readonly kind: 'features'; readonly rows: readonly (readonly (number | null)[])[] }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

/** One loaded recipe with its aggregates in memory; requests are answered one after the other. */
export interface OnlineFeatures {
  /** The newest day of the aggregates that are loaded. */
  readonly until: string | null;
  /**
   * The features of each event of one request, in their order; columns as in `definition.features.columns`, null where the SQL says
   * NULL. Equal to those of batch, bit for bit, where the context is what the definition declares.
   */
  featuresOf(request: {
    readonly events: readonly EventRow[];
    readonly context: readonly EventRow[];
  }): Promise<RequestFeatures>;
  /** Replaces the aggregates by other files, a new list of daily partitions; requests before it are answered from the old ones. */
  load(daily: readonly DayFile[]): Promise<void>;
  close(): Promise<void>;
}

/** Computes features on request. */
export interface OnlineFeatureEngine {
  /** Loads a recipe and the aggregates of the days before the requests; SQL that batch refuses is refused to each request. */
  open(recipe: {
    readonly definition: ModelDefinition;
    readonly sql: { readonly daily: string; readonly features: string };
    readonly daily: readonly DayFile[];
  }): Promise<OnlineFeatures>;
}
