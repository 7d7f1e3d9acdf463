import type { CheckedRule } from '#domain/release-tests/artifact-rules.ts';

/** Looks at the files of a release without loading any of them. */
export interface ArtifactScan {
  /** Runs the rules of model files on `model.onnx`. */
  checkModel(onnx: Uint8Array): readonly CheckedRule[];
  /** Runs the rules of feature SQL on a release's files, by their names. */
  checkSql(sql: { readonly daily: string; readonly features: string }): Promise<readonly CheckedRule[]>;
}
