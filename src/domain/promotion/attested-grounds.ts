import type { AttestedGate } from '../attestation/attestation.ts';
import { attestationsKey } from '../attestation/newest.ts';
import { ORIGIN } from '../environment/environment.ts';
import { type Subjects, subjectsFor, subjectsOf } from '../gates/attested.ts';
import type { GateResult } from '../gates/gate.ts';
import { type LoadTarget, targetOf } from '../gates/gates/load.ts';
import { attestedGates, judgeAttested } from '../gates/judge-attested.ts';
import { type Key, keyText } from '../ledger/item.ts';
import { type Refusal, refusal as refuse } from '../refusal/refusal.ts';
import type { GroundsState } from './grounds.ts';
import type { Promotion } from './promotion.ts';

/** A release and what would be, or is, asked of it. */
interface Aimed extends Pick<GroundsState, 'upstream'> {
  readonly promotion: Pick<Promotion, 'model' | 'release' | 'gates'>;
}

/** The release and its commit, as whoever trained it has signed. */
function subjectsIn({ promotion, upstream }: Aimed): Subjects {
  return subjectsOf(promotion.release, upstream.get(ORIGIN)?.commit);
}

/** Where the attestations stand that the pinned gates judge. */
export function attestationKeys(state: Aimed): readonly Key[] {
  const { model, gates } = state.promotion;
  return attestedGates(gates).flatMap((gate) =>
    subjectsFor(gate, subjectsIn(state)).map((subject) => attestationsKey(model, gate, subject)),
  );
}

/** What a gate that judges attestations says of a promotion's release now. */
export function attestedVerdict(
  gate: AttestedGate,
  state: Aimed & Pick<GroundsState, 'attestations' | 'active'>,
  target: LoadTarget,
  now: Date,
): GateResult {
  const subjects = subjectsIn(state);
  const { model } = state.promotion;
  const newest = subjectsFor(gate, subjects).flatMap(
    (subject) => state.attestations.get(keyText(attestationsKey(model, gate, subject)))?.newest ?? [],
  );
  return judgeAttested(gate, { subjects, newest, rule: state.active?.rules.attestations, now }, target);
}

/** What gates have judged is what is attested still: a newer attestation may say something else, and a policy name others. */
export function attestationsHold(state: GroundsState, now: Date): Refusal | undefined {
  const wrong = attestedGates(state.promotion.gates).flatMap((gate) => {
    const evidence = state.evidence.get(gate);
    if (evidence === undefined || evidence.verdict === 'NOT_APPLICABLE') return [];
    const { verdict, reasons } = attestedVerdict(gate, state, targetOf(evidence.numbers), now);
    return verdict === 'PASS' ? [] : [`${gate}: ${verdict}: ${reasons.join('; ')}`];
  });
  return wrong.length === 0
    ? undefined
    : refuse('attestations-hold', wrong.join('; ').slice(0, 2000), 'attest it again, and request a new promotion');
}
