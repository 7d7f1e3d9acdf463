import type { z } from 'zod';
import type { ColumnType, ModelDefinition } from '#domain/model/definition.ts';

type Columns = Readonly<Record<string, z.infer<typeof ColumnType>>>;

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
    readonly columns: Columns;
  };
  readonly labels: {
    readonly source: string;
    readonly readyMarker?: string;
    /** The event's id column under the same name, if left out. */
    readonly join?: string;
    readonly value: string;
    readonly arrivedAt: string;
    /** The join column, the BOOLEAN value and the TIMESTAMP of arrival, if left out. */
    readonly columns?: Columns;
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
