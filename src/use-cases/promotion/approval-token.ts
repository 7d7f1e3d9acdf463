import { z } from 'zod';
import type { Refusal } from '#domain/refusal/refusal.ts';
import { textOf } from '#domain/ledger/item.ts';
import type { Promotion } from '#domain/promotion/promotion.ts';
import type { Ledger } from '#ports/ledger.ts';
import type { StateMachines } from '#ports/state-machines.ts';
import { findTask } from '#read-model/tasks.ts';
import { Refused } from '#use-cases/task.ts';

/** What the waiting state is answered: to go on to the commit, which decides again, or why not. */
export const ApprovalAnswer = z.discriminatedUnion('status', [z.object({ status: z.literal('approved') }), Refused]);
export type ApprovalAnswer = z.output<typeof ApprovalAnswer>;

/** The answer that ends the waiting for a reason. */
export function refusedBy(rule: Refusal['rule'], found: string): ApprovalAnswer {
  return { status: 'refused', refusal: { rule, found, remedy: 'request a new promotion' } };
}

/** Returns the token with which a promotion waits for people; harmless when nobody waits, and repeated by the reconciler. */
export async function returnApprovalToken(
  deps: { readonly ledger: Ledger; readonly machines: StateMachines },
  promotion: Promotion,
  answer: ApprovalAnswer,
): Promise<'returned' | 'gone'> {
  const item = await findTask(deps.ledger, 'approval', promotion.promotion);
  if (item === undefined) return 'gone';
  return deps.machines.succeed(textOf(item, 'token'), answer);
}
