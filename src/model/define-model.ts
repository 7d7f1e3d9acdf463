import type { ColumnType, EventColumn, ModelDefinition } from '#domain/model/definition.ts';

/** The image of a model whose container has not been pushed anywhere: it trains on a laptop, and SageMaker refuses it. */
export function unpushedImage(model: string): string {
  return `unpushed/${model}@sha256:${'0'.repeat(64)}`;
}

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
  readonly sla?: ModelDefinition['sla'];
  readonly escalation: readonly string[];
}

/** Describes a model; the default export of `models/<name>/model.ts`. */
export function defineModel(input: ModelInput): ModelInput {
  return input;
}
