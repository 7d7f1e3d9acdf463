import type { TestFinding } from '../../attestation/finding.ts';
import { type AttestedCase, fails, inconclusive, judgeNewest } from '../attested.ts';
import type { GateRemedy, GateResult } from '../gate.ts';

/** What would turn its verdict. */
export const unitTestsRemedy: GateRemedy = (verdict) =>
  verdict === 'FAIL' ? 'mend what fails, commit it, and train anew' : 'let CI attest the commit';

/** Did the unit tests of the release's commit pass? */
export function unitTests(given: AttestedCase): GateResult {
  return judgeNewest('unit-tests', given, 'tests', given.rule.unitTests.validDays, ({ finding }) =>
    judgeTests(finding),
  );
}

/** What a run of tests is worth: one that ran nothing proves nothing. */
export function judgeTests({ passed, failed, skipped, failures }: TestFinding): GateResult {
  const numbers = { passed, failed, skipped };
  if (failed > 0)
    return fails(
      [`${failed} of ${passed + failed} tests failed: ${failures.join('; ') || 'the report names none'}`],
      numbers,
    );
  if (passed === 0)
    return inconclusive([skipped > 0 ? `all ${skipped} tests were skipped` : 'no test was run'], numbers);
  return { verdict: 'PASS', reasons: [`${passed} tests passed, ${skipped} were skipped`], numbers };
}
