import type { ModelDefinition } from '#domain/model/definition.ts';
import type { EngineResult } from './feature-engine.ts';

/** Runs ONNX models. A problem is a value in words; what is thrown is a fault. */
export interface Scoring {
  /** Why bytes are no model of these columns that may be loaded, or undefined. */
  inspect(model: Uint8Array, columns: readonly string[]): string | undefined;
  /** Scores a local feature partition into a local file of predictions. */
  score(model: Uint8Array, definition: ModelDefinition, features: string, out: string): Promise<EngineResult>;
  /** Rows of a feature partition and what the model says of them, as canonical JSON. */
  makeGolden(model: Uint8Array, definition: ModelDefinition, features: string): Promise<string>;
  /** Why a model does not reproduce its golden predictions, or undefined. */
  checkGolden(model: Uint8Array, definition: ModelDefinition, golden: string): Promise<string | undefined>;
  /** A model that predicts the base rate whatever it is given. */
  constantModel(baseRate: number, columns: readonly string[]): Uint8Array;
}
