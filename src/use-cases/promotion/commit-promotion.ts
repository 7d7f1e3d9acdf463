import { z } from 'zod';
import { Digest } from '#domain/canonical/digest.ts';
import { GatehouseError } from '#domain/error.ts';
import { commitPromotion as decide } from '#domain/promotion/commit.ts';
import { LatencyBaseline } from '#domain/promotion/latency.ts';
import { keyText } from '#domain/ledger/item.ts';
import { refusal } from '#domain/refusal/refusal.ts';
import type { Promotion } from '#domain/promotion/promotion.ts';
import { readGrounds } from '#read-model/grounds.ts';
import { readPromotion } from '#read-model/promotions.ts';
import { PromotionParameters } from '#use-cases/promotion/promotion-parameters.ts';
import { operationName, type Recording, recordChange } from '#use-cases/audit/record-change.ts';
import { contract, Refused, type Task } from '#use-cases/task.ts';

export const CommitPromotion = contract({
  input: PromotionParameters.extend({ latency: LatencyBaseline.nullable() }),
  output: z.discriminatedUnion('status', [
    z.object({ status: z.literal('committed'), release: Digest, epoch: z.int() }),
    Refused,
  ]),
});

/** How often a commit is decided anew when something that it rests on has changed since it was read. */
const ATTEMPTS = 3;

/**
 * Switches the pointer to the promotion's release, if everything that it rests on holds at this moment. What has changed
 * since it was read is read again, and refused by its own rule if it stands against the commit.
 */
export function commitPromotion(deps: Recording): Task {
  return CommitPromotion.task(async ({ latency, ...named }) => {
    let changed = '';
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      const promotion = await readPromotion(deps.ledger, named);
      if (promotion.status === 'committed') return committed(promotion);
      const decision = decide(await readGrounds(deps.ledger, promotion), deps.clock.now(), latency);
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
      if (result.kind === 'already-recorded') return committed(await readPromotion(deps.ledger, named));
      changed = result.failed.map(keyText).join(', ');
    }
    return {
      status: 'refused',
      refusal: refusal('commit-conditions', `changed in the meantime, time and again: ${changed}`),
    };
  });
}

function committed({ promotion, release, epoch }: Promotion): z.output<typeof CommitPromotion.output> {
  if (epoch === null) throw new GatehouseError('BAD_ITEM', `${promotion} is committed in no epoch`, { promotion });
  return { status: 'committed', release, epoch };
}
