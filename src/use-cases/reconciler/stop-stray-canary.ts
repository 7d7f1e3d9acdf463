import { isOpen } from '#domain/promotion/promotion.ts';
import type { ReadableLedger } from '#ports/ledger.ts';
import type { StateMachines } from '#ports/state-machines.ts';
import { readPointer } from '#read-model/pointer.ts';
import { findPromotion } from '#read-model/promotions.ts';

/**
 * Has traffic undivided that a promotion has left divided: its execution was stopped, or died. The machine of canaries does it, which finds that
 * there is nothing to watch. Undefined where nothing has to be done.
 */
export async function stopStrayCanary(
  deps: { readonly ledger: ReadableLedger; readonly machines: Pick<StateMachines, 'start'> },
  model: string,
): Promise<string | undefined> {
  const { traffic } = (await readPointer(deps.ledger, model)) ?? {};
  if (traffic?.plan === undefined) return undefined;
  const { promotion } = traffic.plan;
  const found = await findPromotion(deps.ledger, model, promotion);
  if (found !== undefined && isOpen(found.status)) return undefined;
  await deps.machines.start('canary', `${promotion.slice(0, 60)}-stop-${traffic.planSeq}`, { model, promotion });
  return promotion;
}
