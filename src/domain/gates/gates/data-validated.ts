import type { GateRemedy, GateResult } from '../gate.ts';
import type { Upstream } from './released-upstream.ts';

/** What would turn its verdict. */
export const dataValidatedRemedy: GateRemedy = () =>
  'train it anew, on data that its expectations and the policy accept';

/**
 * Was the data looked at, and accepted, before the release was trained on it? What trained it says so in the record by
 * which it registered or offered the release, which it signed.
 */
export function dataValidated(origin: Upstream | undefined, release: string): GateResult {
  const fail = (reason: string): GateResult => ({ verdict: 'FAIL', reasons: [reason], numbers: {} });
  if (origin === undefined || origin.release !== release)
    return fail('whoever trained the release has not signed for it');
  const { environment, seq, dataCheck } = origin;
  if (dataCheck === undefined) return fail(`${environment} trained it on data that no check accepted, record ${seq}`);
  return {
    verdict: 'PASS',
    reasons: [`${environment} accepted its data, evidence ${dataCheck.slice(0, 19)}, record ${seq}`],
    numbers: { seq },
  };
}
