import { commitPromotion as decide } from '#domain/promotion/commit.ts';
import { keyText } from '#domain/ledger/item.ts';
import { operationName, type Recording, recordChange } from '#use-cases/audit/record-change.ts';
import { type Task, task } from '#use-cases/task.ts';
import { PromotionParameters, readGrounds, readPromotion } from './ledger-state.ts';

/** Switches the pointer to the promotion's release, if everything that admits it holds at this moment. */
export function commitPromotion(deps: Recording): Task {
  return task(PromotionParameters, async (named) => {
    const promotion = await readPromotion(deps.ledger, named);
    if (promotion.status === 'committed')
      return { status: 'committed', release: promotion.release, epoch: promotion.epoch };
    const decision = decide(await readGrounds(deps.ledger, promotion), deps.clock.now());
    if (decision.kind === 'refuse') return { status: 'refused', refusal: decision.refusal };
    const result = await recordChange(deps, {
      model: promotion.model,
      operation: operationName('commit', promotion.promotion),
      writes: decision.writes,
      event: decision.event,
      until: decision.until,
    });
    if (result.kind === 'recorded')
      return { status: 'committed', release: promotion.release, epoch: decision.pointer.epoch };
    if (result.kind === 'already-recorded') {
      const { release, epoch } = await readPromotion(deps.ledger, named);
      return { status: 'committed', release, epoch };
    }
    return {
      status: 'refused',
      refusal: {
        rule: 'commit-conditions',
        found: `changed in the meantime: ${result.failed.map(keyText).join(', ')}`,
        remedy: 'ask for a new promotion',
      },
    };
  });
}
