import { z } from 'zod';
import { Digest } from '#domain/canonical/digest.ts';
import { unkey } from '#domain/ledger/item.ts';
import { keys } from '#domain/ledger/keys.ts';
import type { Pointer } from '#domain/promotion/pointer.ts';
import { Promotion } from '#domain/promotion/promotion.ts';
import { rollBack } from '#domain/promotion/rollback.ts';
import type { Ledger } from '#ports/ledger.ts';
import { type Recording, recordChange } from '#use-cases/audit/record-change.ts';
import { isQuarantined, readPointer } from '#use-cases/promotion/ledger-state.ts';
import { type Task, task } from '#use-cases/task.ts';
import { switchOperation } from './choose-target.ts';

const Parameters = z.object({
  model: z.string(),
  rollback: z.string(),
  actor: z.string().min(1),
  reason: z.string().min(1).max(500),
  target: z.object({ release: Digest, version: z.string(), from: Digest }),
});

/** Switches the pointer back and quarantines what it named, in one transaction. */
export function switchPointer(deps: Recording): Task {
  return task(Parameters, async ({ model, rollback, actor, reason, target }) => {
    const pointer = await readPointer(deps.ledger, model);
    if (pointer?.current !== target.from || pointer.lastConfirmed?.release !== target.release)
      return { status: 'moved' };
    const behind = await behindOf(deps.ledger, model, target.release);
    const { writes, event } = rollBack(pointer, target, behind, { id: rollback, actor, reason, now: deps.clock.now() });
    const result = await recordChange(deps, { model, operation: switchOperation(rollback), writes, event });
    return { status: result.kind === 'refused' ? 'moved' : 'switched' };
  });
}

/** What the release replaced when it was promoted: where a second rollback would go, unless it is quarantined. */
async function behindOf(ledger: Ledger, model: string, release: Digest): Promise<Pointer['lastConfirmed']> {
  const promotions = (await ledger.query(keys.promotions(model))).map((item) => unkey(Promotion, item));
  // The newest first: a release that was let in twice replaced something else the last time.
  const committed = promotions
    .filter(({ status }) => status === 'committed')
    .toSorted((a, b) => b.fencingToken - a.fencingToken);
  const replaced = committed.find((promotion) => promotion.release === release)?.replaces ?? null;
  const before = committed.find((promotion) => promotion.release === replaced);
  if (replaced === null || before === undefined || (await isQuarantined(ledger, model, replaced))) return null;
  return { release: replaced, version: before.version };
}
