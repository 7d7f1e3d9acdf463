import type { Digest } from '#domain/canonical/digest.ts';
import type { ComparisonMeasure } from '#domain/data/comparison-measure.ts';
import type { Refusal } from '#domain/error.ts';
import type { ModelDefinition } from '#domain/model/definition.ts';

/** A local Parquet file and the day of its partition. */
export interface DayFile {
  readonly day: string;
  readonly file: string;
}

/** A file that was made, or why the data or the SQL was refused. */
export type EngineResult =
  | { readonly kind: 'built'; readonly rows: number; readonly sha256: Digest }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

/** Runs feature SQL and measures comparisons, on local files only; feature SQL is untrusted and locked in. */
export interface FeatureEngine {
  buildDaily(input: {
    readonly sql: string;
    readonly day: string;
    readonly events: readonly DayFile[];
    readonly labels: readonly DayFile[];
    readonly definition: ModelDefinition;
    readonly out: string;
  }): Promise<EngineResult>;
  buildFeatures(input: {
    readonly sql: { readonly daily: string; readonly features: string };
    readonly day: string;
    readonly events: readonly DayFile[];
    readonly daily: readonly DayFile[];
    readonly definition: ModelDefinition;
    readonly out: string;
  }): Promise<EngineResult>;
  exportTrainingRows(input: {
    readonly features: readonly string[];
    readonly labels: readonly DayFile[];
    readonly definition: ModelDefinition;
    readonly out: string;
  }): Promise<
    (EngineResult & { readonly kind: 'built'; readonly positives: number }) | Extract<EngineResult, { kind: 'refused' }>
  >;
  measureComparison(input: {
    readonly features: readonly string[];
    readonly labels: readonly DayFile[];
    readonly champion: readonly string[];
    readonly candidate: readonly string[];
    readonly definition: ModelDefinition;
  }): Promise<
    { readonly kind: 'measured'; readonly measure: ComparisonMeasure } | Extract<EngineResult, { kind: 'refused' }>
  >;
}
