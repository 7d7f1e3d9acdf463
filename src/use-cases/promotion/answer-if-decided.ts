import type { Clock } from '#ports/clock.ts';
import type { Ledger } from '#ports/ledger.ts';
import type { StateMachines } from '#ports/state-machines.ts';
import { judgeGrounds, whyNeverCommitting } from '#domain/promotion/grounds.ts';
import type { Promotion } from '#domain/promotion/promotion.ts';
import { readGrounds } from '#read-model/grounds.ts';
import { findPromotion, readLock } from '#read-model/promotions.ts';
import { refusedBy, returnApprovalToken } from './approval-token.ts';

interface Answering {
  readonly ledger: Ledger;
  readonly machines: StateMachines;
  readonly clock: Clock;
}

/**
 * Lets a promotion that waits for people go on when they have decided, and ends it when it can no longer be committed
 * whatever they say. The reconciler does it again if the answer gets lost.
 */
export async function answerIfDecided(deps: Answering, promotion: Promotion): Promise<'returned' | 'gone' | 'pending'> {
  const grounds = judgeGrounds(await readGrounds(deps.ledger, promotion), deps.clock.now());
  const refusal = whyNeverCommitting(grounds);
  if (refusal !== undefined) return returnApprovalToken(deps, promotion, { status: 'refused', refusal });
  const { people } = grounds;
  switch (people.kind) {
    case 'pending':
      return 'pending';
    case 'approved':
      return returnApprovalToken(deps, promotion, { status: 'approved' });
    case 'rejected':
      return returnApprovalToken(
        deps,
        promotion,
        refusedBy('approval-given', `rejected by ${people.by.subject}: ${people.by.comment}`),
      );
  }
}

/** The same for the promotion of a model that is under way, if one waits: what it rests on may just have changed. */
export async function answerWaiting(deps: Answering, model: string): Promise<void> {
  const lock = await readLock(deps.ledger, model);
  const holder = lock?.promotion ?? null;
  const promotion = holder === null ? undefined : await findPromotion(deps.ledger, model, holder);
  if (promotion?.status === 'awaiting-approval') await answerIfDecided(deps, promotion);
}
