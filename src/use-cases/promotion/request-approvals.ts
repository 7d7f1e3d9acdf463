import { z } from 'zod';
import { evidenceRoot } from '#domain/gates/evidence.ts';
import { keys } from '#domain/ledger/keys.ts';
import { holdsLock, type Promotion, promotionWrite } from '#domain/promotion/promotion.ts';
import type { StateMachines } from '#ports/state-machines.ts';
import { operationName, type Recording, recordChange } from '#use-cases/audit/record-change.ts';
import { type Task, task } from '#use-cases/task.ts';
import { returnApprovalToken } from './approval-token.ts';
import { PromotionParameters, readEvidence, readPromotion } from './ledger-state.ts';

const Parameters = PromotionParameters.extend({ token: z.string().min(1) });

/** Asks people: keeps the task token here, and says in the chain what is to be decided, on which evidence, until when. */
export function requestApprovals(deps: Recording & { readonly machines: StateMachines }): Task {
  return task(Parameters, async ({ token, ...named }) => {
    const promotion = await readPromotion(deps.ledger, named);
    const evidence = [...(await readEvidence(deps.ledger, promotion)).values()];
    const now = deps.clock.now();
    const expiresAt = new Date(now.getTime() + promotion.approvalHours * 3_600_000).toISOString();
    const asked: Promotion = {
      ...promotion,
      status: 'awaiting-approval',
      approvalRequest: { evidence: evidenceRoot(evidence), expiresAt },
    };
    const result = await recordChange(deps, {
      model: promotion.model,
      operation: operationName('ask', promotion.promotion),
      writes: [
        holdsLock(promotion),
        promotionWrite(promotion, asked),
        {
          kind: 'put',
          item: {
            ...keys.task('approval', promotion.promotion),
            token,
            model: promotion.model,
            promotion: promotion.promotion,
          },
        },
      ],
      event: {
        code: 'APPROVAL_REQUESTED',
        actor: 'pipeline:release',
        release: promotion.release,
        details: {
          promotion: promotion.promotion,
          transition: promotion.transition,
          version: promotion.version,
          policy: promotion.policy,
          evidence: evidenceRoot(evidence),
          requestedBy: promotion.requestedBy,
          approvals: promotion.approvals,
          expiresAt,
          summary: evidence.map((piece) =>
            `${piece.gate}: ${piece.verdict}: ${piece.reasons.join('; ')}`.slice(0, 240),
          ),
        },
      },
    });
    if (result.kind === 'refused') await returnApprovalToken({ ...deps }, promotion, 'superseded');
    return { status: result.kind };
  });
}
