import { type AttestedCase, judgeNewest } from '../attested.ts';
import type { GateRemedy, GateResult } from '../gate.ts';
import { judgeTests } from './unit-tests.ts';

/** What would turn its verdict. */
export const integrationTestsRemedy: GateRemedy = (verdict) =>
  verdict === 'FAIL'
    ? 'mend what fails, and test it again: gatehouse attest integration-tests --release REL --env staging'
    : 'let staging test it: gatehouse attest integration-tests --release REL --env staging';

/** Did the release do where it serves what it promises? */
export function integrationTests(given: AttestedCase): GateResult {
  const { validDays } = given.rule.integrationTests;
  return judgeNewest('integration-tests', given, 'tests', validDays, ({ finding }) => judgeTests(finding));
}
