import { truncated } from '#domain/audit/truncated.ts';
import type { Digest } from '#domain/canonical/digest.ts';
import { type Evidence, evidenceOf, evidenceWrite } from '#domain/gates/evidence.ts';
import type { GateId, GateResult } from '#domain/gates/gate.ts';
import { holdsLock, type Promotion } from '#domain/promotion/promotion.ts';
import { operationName, type Recording, recordChange } from '#use-cases/audit/record-change.ts';

/** Records what a gate says of a promotion's release; undefined where the promotion holds the lock no more, so that nothing is recorded. */
export async function recordEvidence(
  deps: Recording,
  promotion: Promotion,
  gate: GateId,
  result: GateResult,
  measure: Digest | null,
): Promise<Evidence | undefined> {
  const evidence = evidenceOf(promotion, gate, result, measure, deps.clock.now());
  const recorded = await recordChange(deps, {
    model: promotion.model,
    operation: operationName('gate', promotion.promotion, evidence.gate),
    writes: [holdsLock(promotion), evidenceWrite(evidence)],
    event: {
      code: 'EVIDENCE_RECORDED',
      actor: `pipeline:${evidence.producer}`,
      release: promotion.release,
      details: {
        promotion: promotion.promotion,
        gate: evidence.gate,
        verdict: evidence.verdict,
        ...(evidence.provisional === true ? { provisional: true } : {}),
        reasons: truncated(evidence.reasons, 8, 2400),
        measure: evidence.measure,
      },
    },
  });
  return recorded.kind === 'refused' ? undefined : evidence;
}
