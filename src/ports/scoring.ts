import type { Digest } from '#domain/canonical/digest.ts';
import type { Refusal } from '#domain/refusal/refusal.ts';
import type { ComparedRow } from '#domain/model/trainer-predictions.ts';
import type { FeatureImportances } from '#domain/report/explanation.ts';
import type { ModelDefinition } from '#domain/model/definition.ts';

type Refused = { readonly kind: 'refused'; readonly refusal: Refusal };

/** Local files: features to score, and an earlier scoring of the same model whose unchanged rows may be carried over. */
export interface ScoringFiles {
  readonly features: string;
  readonly out: string;
  readonly previous?: { readonly features: string; readonly predictions: string };
}

/** A file of predictions; `carried` of its rows are of the earlier scoring, of which `dropped` are no more. */
export interface ScoredFile {
  readonly kind: 'built';
  readonly rows: number;
  readonly sha256: Digest;
  readonly carried: number;
  readonly dropped: number;
}

/** The local file of predictions that a training program left, and the local file of the rows of a day that it was given, if there is one. */
export interface TrainerFiles {
  readonly predictions: string;
  rowsOf(day: string): Promise<string | undefined>;
}

/** How much the features of a model matter. */
export interface Importances {
  readonly kind: 'explained';
  readonly importances: FeatureImportances;
}

/** A model that is loaded. */
export interface LoadedModel {
  /** Scores a local feature partition into a local file of predictions. */
  score(files: ScoringFiles): Promise<ScoredFile | Refused>;
  /** How much each feature matters to the predictions of a sample of some local feature partitions. */
  explain(features: readonly string[]): Promise<Importances | Refused>;
}

/** A model that stays loaded until it is closed. */
export interface OpenModel {
  /**
   * P(label = 1) of each row of features, in the order of the definition's columns; the same bits as a batch that has the row.
   * @throws GatehouseError `NOT_SCORABLE` for rows that the model has no probability for
   */
  predict(rows: readonly (readonly (number | null)[])[]): Promise<readonly number[]>;
  close(): Promise<void>;
}

/** Runs ONNX models. A problem is a value in words; what is thrown is a fault. */
export interface Scoring {
  /** A model whose probabilities are a tensor, where its exporter wrapped them into maps; other bytes as they are. */
  unwrapped(model: Uint8Array): Uint8Array;
  /** Why bytes are no model of these columns that may be loaded, or undefined. */
  inspect(model: Uint8Array, columns: readonly string[]): string | undefined;
  /** Loads a model once for all that `work` scores, and lets it go again. */
  withModel<T>(
    model: Uint8Array,
    definition: ModelDefinition,
    work: (model: LoadedModel) => Promise<T>,
  ): Promise<{ readonly kind: 'done'; readonly value: T } | Refused>;
  /** A model that whoever opens it closes; loaded as for a batch. */
  open(
    model: Uint8Array,
    definition: ModelDefinition,
  ): Promise<{ readonly kind: 'loaded'; readonly model: OpenModel } | Refused>;
  /** Rows of a feature partition and what the model says of them, as canonical JSON. */
  makeGolden(model: Uint8Array, definition: ModelDefinition, features: string): Promise<string>;
  /** Why a model does not reproduce its golden predictions, or undefined. */
  checkGolden(model: Uint8Array, definition: ModelDefinition, golden: string): Promise<string | undefined>;
  /** In what a model is the same as another one, whose golden predictions are known, in words; undefined where it is another. */
  sameAs(
    model: Uint8Array,
    definition: ModelDefinition,
    other: { readonly model: Uint8Array; readonly golden: string },
  ): Promise<string | undefined>;
  /** What a model predicts for the rows whose predictions its trainer left, beside those. */
  predictAgain(
    model: Uint8Array,
    definition: ModelDefinition,
    files: TrainerFiles,
  ): Promise<{ readonly kind: 'predicted'; readonly rows: readonly ComparedRow[] } | Refused>;
  /** A model that predicts the base rate whatever it is given. */
  constantModel(baseRate: number, columns: readonly string[]): Uint8Array;
}
