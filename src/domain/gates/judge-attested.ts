import { AttestedGate } from '../attestation/attestation.ts';
import type { AttestationRule } from '../policy/attestations.ts';
import { type AttestedCase, inconclusive } from './attested.ts';
import type { GateId, GateResult } from './gate.ts';
import { codeReview } from './gates/code-review.ts';
import { integrationTests } from './gates/integration-tests.ts';
import { load, type LoadTarget } from './gates/load.ts';
import { securityScan } from './gates/security-scan.ts';
import { unitTests } from './gates/unit-tests.ts';

/** The gates that judge attestations, of some gates. */
export function attestedGates(gates: readonly GateId[]): readonly AttestedGate[] {
  return AttestedGate.options.filter((gate) => gates.includes(gate));
}

/** Judges what is attested of a release, for one gate. */
export function judgeAttested(
  gate: AttestedGate,
  given: Omit<AttestedCase, 'rule'> & { readonly rule: AttestationRule | undefined },
  target: LoadTarget,
): GateResult {
  const { rule } = given;
  if (rule === undefined) return inconclusive(['the policy in force says nothing of attestations']);
  const stated = { ...given, rule };
  switch (gate) {
    case 'unit-tests':
      return unitTests(stated);
    case 'code-review':
      return codeReview(stated);
    case 'integration-tests':
      return integrationTests(stated);
    case 'load':
      return load(stated, target);
    case 'security-scan':
      return securityScan(stated);
  }
}
