// A promotion that everybody has approved, as the acts before its commit leave it in the ledger.
import { evidenceOf, evidenceRoot, evidenceWrite } from '#domain/gates/evidence.ts';
import type { Item, Write } from '#domain/ledger/item.ts';
import { keys } from '#domain/ledger/keys.ts';
import { openPromotion, type Promotion, promotionWrite, takeLock } from '#domain/promotion/promotion.ts';
import { pointerWrite } from '#domain/promotion/pointer.ts';
import {
  approvalOf,
  CHAMPION,
  hours,
  NOW,
  PASSED,
  pointer,
  POLICY,
  policy,
  request,
} from '#test/domain/promotion/_case.ts';

export { NOW };

const itemOf = (write: Write): Item => {
  if (write.kind === 'put') return write.item;
  throw new Error('a check puts nothing');
};

/** The items of a model whose promotion only has to be committed: pointer, lock, four gates, two approvals. */
export function approvedPromotion(model: string): { readonly promotion: string; readonly items: readonly Item[] } {
  const rule = {
    ...policy.transitions.prod,
    approvals: [
      { role: 'ml-lead' as const, count: 1 },
      { role: 'platform' as const, count: 1 },
    ],
  };
  const asked = openPromotion(request({ model }), {
    environment: 'prod',
    rule,
    policyDigest: POLICY,
    fencingToken: 1,
    execution: 'execution',
    champion: { current: CHAMPION, version: '1.0.0' },
    now: NOW,
  });
  const evidence = asked.gates.map((gate) => evidenceOf(asked, gate, PASSED, null, NOW));
  const promotion: Promotion = {
    ...asked,
    status: 'awaiting-approval',
    approvalRequest: { evidence: evidenceRoot(evidence), expiresAt: hours(48) },
  };
  const approvals = [
    approvalOf(promotion, 'lea', 'ml-lead', evidence),
    approvalOf(promotion, 'pat', 'platform', evidence),
  ];
  return {
    promotion: promotion.promotion,
    items: [
      itemOf(pointerWrite(undefined, { ...pointer, model })),
      itemOf(takeLock(model, undefined, promotion.promotion).write),
      itemOf(promotionWrite(undefined, promotion)),
      ...evidence.map((piece) => itemOf(evidenceWrite(piece))),
      ...approvals.map((approval) => ({
        ...keys.approval(model, promotion.promotion, approval.subject),
        ...approval,
      })),
    ],
  };
}
