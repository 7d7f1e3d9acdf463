import { z } from 'zod';
import { Digest } from '../../canonical/digest.ts';
import type { GateRemedy, GateResult } from '../gate.ts';

/** What the verification of a release's files found, check by check. */
export const VerificationReport = z.object({
  release: Digest,
  checks: z.array(z.object({ check: z.string().min(1), problem: z.string().nullable() })).min(1),
});
export type VerificationReport = z.infer<typeof VerificationReport>;

/** The checks of a verification, as reports name them. */
export const INTEGRITY_CHECKS = {
  files: 'files hash to the manifest',
  definition: 'definition and schema agree',
  loads: 'model.onnx is allowed and loads',
  golden: 'golden predictions reproduce',
  goldenRequest: 'golden request reproduces',
  notRolledBack: 'was not rolled back under another digest',
} as const;

/** What would turn its verdict. */
export const releaseIntegrityRemedy: GateRemedy = () => 'register the release anew from its training run';

/** Are the files exactly those of the manifest, of allowed content, and do they reproduce the golden predictions? */
export function releaseIntegrity(report: VerificationReport | undefined, release: Digest): GateResult {
  if (report === undefined) return { verdict: 'INCONCLUSIVE', reasons: ['the release was not verified'], numbers: {} };
  if (report.release !== release)
    return { verdict: 'FAIL', reasons: [`the report is about ${report.release}`], numbers: {} };
  const problems = report.checks.flatMap(({ check, problem }) => (problem === null ? [] : [`${check}: ${problem}`]));
  return problems.length === 0
    ? {
        verdict: 'PASS',
        reasons: [report.checks.map(({ check }) => check).join(', ')],
        numbers: { checks: report.checks.length },
      }
    : { verdict: 'FAIL', reasons: problems, numbers: { checks: report.checks.length, problems: problems.length } };
}
