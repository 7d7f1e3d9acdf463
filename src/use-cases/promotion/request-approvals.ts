import { z } from 'zod';
import { truncated } from '#domain/audit/truncated.ts';
import { evidenceRoot } from '#domain/gates/evidence.ts';
import type { Item } from '#domain/ledger/item.ts';
import { keys } from '#domain/ledger/keys.ts';
import type { Hotfix } from '#domain/policy/policy.ts';
import { seenByPeople } from '#domain/promotion/grounds.ts';
import { holdsLock, type Promotion, promotionWrite } from '#domain/promotion/promotion.ts';
import type { StateMachines } from '#ports/state-machines.ts';
import { readEvidence } from '#read-model/grounds.ts';
import { readPromotion } from '#read-model/promotions.ts';
import { PromotionParameters } from '#use-cases/promotion/promotion-parameters.ts';
import { operationName, type Recording, recordChange } from '#use-cases/audit/record-change.ts';
import { contract, type Task } from '#use-cases/task.ts';
import { ApprovalAnswer, refusedBy } from './approval-token.ts';
import { writeUnaudited } from '#use-cases/audit/write-unaudited.ts';

export const RequestApprovals = contract({
  input: PromotionParameters.extend({ token: z.string().min(1) }),
  output: z.object({ status: z.enum(['recorded', 'already-recorded', 'refused']) }),
  answer: ApprovalAnswer,
});

/** Asks people: keeps the task token here, and says in the chain what is to be decided, on which evidence, until when. */
export function requestApprovals(deps: Recording & { readonly machines: StateMachines }): Task {
  return RequestApprovals.task(async ({ token, ...named }) => {
    const promotion = await readPromotion(deps.ledger, named);
    const evidence = seenByPeople([...(await readEvidence(deps.ledger, promotion)).values()]);
    const now = deps.clock.now();
    const expiresAt = new Date(now.getTime() + promotion.approvalHours * 3_600_000).toISOString();
    const waiting: Item = {
      ...keys.task('approval', promotion.promotion),
      token,
      model: promotion.model,
      promotion: promotion.promotion,
    };
    const asked: Promotion = {
      ...promotion,
      status: 'awaiting-approval',
      approvalRequest: { evidence: evidenceRoot(evidence), expiresAt },
    };
    const result = await recordChange(deps, {
      model: promotion.model,
      operation: operationName('ask', promotion.promotion),
      writes: [holdsLock(promotion), promotionWrite(promotion, asked), { kind: 'put', item: waiting }],
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
          ...(promotion.hotfix === undefined ? {} : { hotfix: shortened(promotion.hotfix) }),
          approvals: promotion.approvals,
          expiresAt,
          summary: truncated(
            evidence.map((piece) => `${piece.gate}: ${piece.verdict}: ${piece.reasons.join('; ')}`),
            12,
            promotion.hotfix === undefined ? 2000 : 1400,
          ),
        },
      },
    });
    // The transaction that would have kept the token did not take effect: whoever waits with it is told at once.
    if (result.kind === 'refused')
      await deps.machines.succeed(token, refusedBy('promotion-open', 'it ended before approvals were requested'));
    // Approvals were requested by a call whose answer got lost: the machine waits with another token now.
    if (result.kind === 'already-recorded')
      await writeUnaudited(deps.ledger, [{ kind: 'put', item: waiting }], operationName('w', token));
    return { status: result.kind };
  });
}

/** The reason as it fits beside what the gates said: a record of the chain has a limit, and the request says it whole. */
function shortened({ reason }: Hotfix): Hotfix {
  return { reason: truncated([reason], 1, 600).join('') };
}
