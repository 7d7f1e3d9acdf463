import { z } from 'zod';
import { Digest } from '#domain/canonical/digest.ts';
import { VerificationReport } from '#domain/gates/gates/release-integrity.ts';
import { type Verifying, verifyRelease } from '#use-cases/verification/verify-release.ts';
import { contract, type Task } from '#use-cases/task.ts';

export const VerifyRollbackTarget = contract({
  /** Null where there is no release to roll back to. */
  input: z.object({ model: z.string(), release: Digest.nullable() }),
  output: z.object({ checks: z.array(VerificationReport.shape.checks.element) }),
});

/** Verifies the release that a rollback would go to as it was verified before it was promoted. */
export function verifyRollbackTarget(deps: Verifying): Task {
  const verify = verifyRelease(deps);
  return VerifyRollbackTarget.task(async ({ model, release }) => {
    if (release === null) return { checks: [] };
    // Whether it was quarantined is read from the ledger, which this function cannot.
    const { checks } = VerificationReport.parse(await verify({ model, release, quarantined: [] }));
    return { checks };
  });
}
