import type { ColumnType, EventColumn, ModelDefinition } from '#domain/model/definition.ts';

/** The image of a model whose container has not been pushed anywhere: it trains on a laptop, and SageMaker refuses it. */
export function unpushedImage(model: string): string {
  return `unpushed/${model}@sha256:${'0'.repeat(64)}`;
}

/** What is allowed where a model names a duration. */
export const DURATION = "whole minutes or hours, at most 48 hours, such as '30 minutes' or '2 hours'";

/** What a `models/<name>/model.ts` says; `compileModel` fills in the defaults, hashes the files and checks the whole. */
export interface ModelInput {
  /** The folder's name, if left out. */
  readonly name?: string;
  readonly owner: string;
  readonly purpose: string;
  readonly events: {
    readonly source: string;
    readonly readyMarker?: string;
    readonly id: string;
    readonly entity: string;
    readonly time: string;
    /**
     * By name: the type, where each file has the column; or `{ type: 'DOUBLE', since: '2026-11-01', default: 0 }` for one that was
     * added later. `since` is the first UTC day whose files must have it; files of earlier days may lack it, and then each of their
     * rows reads as `default`: a value of the type (TIMESTAMP as '2026-11-01T00:00:00Z', DATE as '2026-11-01'), or null. Neither has a
     * default of its own. Not for `id`, `entity` and `time`.
     */
    readonly columns: Readonly<Record<string, EventColumn>>;
  };
  readonly labels: {
    readonly source: string;
    readonly readyMarker?: string;
    /** The event's id column under the same name, if left out. */
    readonly join?: string;
    readonly value: string;
    readonly arrivedAt: string;
    /** The join column, the BOOLEAN value and the TIMESTAMP of arrival, if left out. */
    readonly columns?: Readonly<Record<string, ColumnType>>;
    /** Days in which what happens decides the label, where that is more than the event itself. */
    readonly horizonDays?: number;
    readonly matureAfterDays: number;
  };
  readonly features: {
    readonly daily?: string;
    readonly features?: string;
    readonly columns: readonly string[];
    readonly aggregateDays: number;
    readonly eventDays?: number;
  };
  readonly training: {
    readonly image?: string;
    readonly local: readonly string[];
    readonly hyperparameters?: Readonly<Record<string, string | number>>;
    readonly seed?: number;
    readonly instanceType?: string;
    readonly maxRuntimeSeconds?: number;
  };
  /** By name: so many days, or `{ since: 'YYYY-MM-DD' }` for a window that grows. */
  readonly windows: Readonly<Record<string, number | { readonly since: string }>>;
  readonly evaluation?: Partial<ModelDefinition['evaluation']>;
  readonly schedule: ModelDefinition['schedule'];
  readonly predictions?: Partial<ModelDefinition['predictions']>;
  /** Without it, a model is scored in batches only. */
  readonly online?: {
    /**
     * The events that a request must bring with it, so that its features equal those of the whole day: those whose `column` is the
     * value that the request's event has in one of `of`, since `within` ('30 minutes', '2 hours') before it. Empty where features
     * need the event alone. `gatehouse model check --events ... --labels ...` proves it.
     */
    readonly context: readonly { readonly column: string; readonly of: readonly string[]; readonly within: string }[];
    readonly maxRows?: number;
    readonly maxAggregateAgeDays?: number;
    readonly objectiveMs?: number;
    readonly pointerMaxAgeSeconds?: number;
    readonly retentionDays?: number;
  };
  readonly sla?: ModelDefinition['sla'];
  readonly escalation: readonly string[];
}

/** Describes a model; the default export of `models/<name>/model.ts`. */
export function defineModel(input: ModelInput): ModelInput {
  return input;
}
