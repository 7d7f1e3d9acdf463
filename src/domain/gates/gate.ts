import { z } from 'zod';
import { AttestedGate } from '../attestation/attestation.ts';

/** Every gate there is. Its id is the name of its file in `gates/`. */
export const GateId = z.enum([
  'released-upstream',
  'data-validated',
  'release-integrity',
  'metric-baseline',
  'better-than-champion',
  ...AttestedGate.options,
  'canary-power',
  'shadow',
  'canary',
]);
export type GateId = z.infer<typeof GateId>;

/**
 * When a gate is evaluated: before people are asked, so that they see its evidence, or after they have approved. An approval is bound to the
 * evidence of the first phase only; a commit needs both.
 */
export type GatePhase = 'before-approval' | 'after-approval';

/** The phase of a gate. */
export function phaseOf(gate: GateId): GatePhase {
  return gate === 'shadow' || gate === 'canary' ? 'after-approval' : 'before-approval';
}

export const Verdict = z.enum(['PASS', 'FAIL', 'INCONCLUSIVE', 'NOT_APPLICABLE']);
export type Verdict = z.infer<typeof Verdict>;

/** What would turn a verdict of a gate that is no PASS; it stands beside the gate. */
export type GateRemedy = (verdict: 'FAIL' | 'INCONCLUSIVE') => string;

/** What a gate says: a verdict, why in words, and the numbers behind it. */
export interface GateResult {
  readonly verdict: Verdict;
  /** A PASS that is not proven and likely: it admits to a probation, where the policy knows one. */
  readonly provisional?: true;
  readonly reasons: readonly string[];
  /** When what it rests on expires, where that is its own. */
  readonly expiresAt?: string;
  readonly numbers: Readonly<Record<string, number>>;
}
