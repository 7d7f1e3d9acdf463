import { z } from 'zod';
import type { ScanFinding } from '../attestation/finding.ts';
import { document } from '../canonical/document.ts';
import { Digest } from '../canonical/digest.ts';
import { ModelName } from '../model/definition.ts';
import { ARTIFACT_SCAN } from '../policy/attestations.ts';
import { cut, seenLine } from '../text.ts';

/** What the files of every release must fulfil. What comes later is not checked where what it reads is broken. */
export const ARTIFACT_RULES = {
  'release-files': 'the manifest names exactly the files of a release, and each is there with its size and digest',
  'model-size': 'model.onnx has at most 256 MB',
  'onnx-readable': 'model.onnx is an ONNX model with a graph',
  'onnx-operators': 'operators, functions and graphs are those of the allow-list',
  'onnx-one-file': 'no tensor has data outside of the file',
  'onnx-opsets': 'the versions of the operator sets are between those that the scorer runs',
  'onnx-finite': 'no initializer and nothing that a learner has learned is NaN or infinite',
  'feature-sql': 'feature SQL is of listed functions over its own tables',
} as const;
export type ArtifactRule = keyof typeof ARTIFACT_RULES;

/** The most bytes that a model file may have: the scorer holds it in memory twice. */
export const MAX_MODEL_BYTES = 256 * 1024 * 1024;

/** A rule that was run on a file, and what breaks it; null where nothing does. */
export const CheckedRule = z.strictObject({
  rule: z.enum(Object.keys(ARTIFACT_RULES) as [ArtifactRule, ...ArtifactRule[]]),
  file: z.string().min(1).max(60),
  problem: z.string().max(400).nullable(),
});
export type CheckedRule = z.infer<typeof CheckedRule>;

/** The report of a scan of a release's files, as an object by digest. */
export const ArtifactScanReport = document(
  'report of an artifact scan',
  z.strictObject({
    formatVersion: z.literal(1),
    model: ModelName,
    release: Digest,
    checks: z.array(CheckedRule).min(1),
  }),
);

/** A rule that was run, in words that fit. */
export function checkedRule(rule: ArtifactRule, file: string, problem: string | undefined): CheckedRule {
  return { rule, file: cut(file, 60), problem: problem === undefined ? null : cut(seenLine(problem), 400) };
}

/** What some checks come to: whatever a release breaks is critical. */
export function scanFinding(checks: readonly CheckedRule[]): ScanFinding {
  const broken = checks.filter(({ problem }) => problem !== null);
  const open = broken.slice(0, 12).map(({ rule, file }) => ({ id: rule, severity: 'critical' as const, of: file }));
  return {
    kind: 'scan',
    tool: ARTIFACT_SCAN,
    checked: checks.length,
    open,
    more: broken.length - open.length,
    suppressed: 0,
  };
}
