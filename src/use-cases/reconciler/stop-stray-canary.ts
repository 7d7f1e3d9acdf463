import { GatehouseError } from '#domain/error.ts';
import { phaseOf } from '#domain/gates/gate.ts';
import type { Pointer } from '#domain/promotion/pointer.ts';
import { isOpen, type Promotion } from '#domain/promotion/promotion.ts';
import type { Clock } from '#ports/clock.ts';
import type { ReadableLedger } from '#ports/ledger.ts';
import type { StateMachines } from '#ports/state-machines.ts';
import { findOperation } from '#read-model/chain.ts';
import { readEvidence } from '#read-model/grounds.ts';
import { readPointer } from '#read-model/pointer.ts';
import { findPromotion, readPromotions } from '#read-model/promotions.ts';
import { stopOperation } from '#use-cases/canary/divide-traffic.ts';

interface Stopping {
  readonly ledger: ReadableLedger;
  readonly machines: Pick<StateMachines, 'start'>;
  readonly clock: Clock;
}

const MINUTE_MS = 60_000;
/** How often a stop is started anew, and how long it may take before people are told. */
const AGAIN_MS = 10 * MINUTE_MS;
const LATE_MS = 30 * MINUTE_MS;
/** How far back ended promotions are looked at. */
const DAYS_MS = 7 * 86_400_000;

/**
 * Ends the canaries of promotions that have ended without it: their execution was stopped, or died. Either their traffic is divided still, or a gate
 * said FAIL and nobody has quarantined the candidate. The machine of canaries does it, which finds that there is nothing to watch; it is started
 * again as long as that is not so. @throws GatehouseError `CANARY_NOT_STOPPED` where half an hour did not suffice
 */
export async function stopStrayCanaries(deps: Stopping, model: string): Promise<readonly string[]> {
  const now = deps.clock.now().getTime();
  const pointer = await readPointer(deps.ledger, model);
  if (pointer === undefined) return [];
  const stray: Promotion[] = [];
  for (const promotion of await candidates(deps, model, pointer, now))
    if (await isStray(deps, promotion, pointer)) stray.push(promotion);
  for (const { promotion } of stray) {
    const name = `${promotion.slice(0, 55)}-stop-${Math.floor(now / AGAIN_MS)}`;
    await deps.machines.start('canary', name, { model, promotion, abort: null });
  }
  const late = stray.filter(({ endedAt }) => endedAt !== null && now - Date.parse(endedAt) > LATE_MS);
  if (late.length > 0) {
    const names = late.map(({ promotion }) => promotion).join(', ');
    throw new GatehouseError('CANARY_NOT_STOPPED', `canaries that have not been ended: ${names}`, { names });
  }
  return stray.map(({ promotion }) => promotion);
}

/** Ended promotions that had a canary: the one that the traffic is divided for, and those of the last days. */
async function candidates(
  { ledger }: Stopping,
  model: string,
  { traffic }: Pointer,
  now: number,
): Promise<readonly Promotion[]> {
  const divided = traffic.plan && (await findPromotion(ledger, model, traffic.plan.promotion));
  const recent = (await readPromotions(ledger, model)).filter(
    ({ approvedAt, endedAt }) => approvedAt !== null && endedAt !== null && now - Date.parse(endedAt) < DAYS_MS,
  );
  const all = [...(divided === undefined ? [] : [divided]), ...recent];
  return [...new Map(all.map((each) => [each.promotion, each])).values()].filter(
    ({ status }) => !isOpen(status) && status !== 'committed',
  );
}

async function isStray({ ledger }: Stopping, promotion: Promotion, { traffic, current }: Pointer): Promise<boolean> {
  if (traffic.plan?.promotion === promotion.promotion) return true;
  const [done, evidence] = await Promise.all([
    findOperation(ledger, promotion.model, stopOperation(promotion.promotion)),
    readEvidence(ledger, promotion),
  ]);
  if (done !== undefined || current === promotion.release) return false;
  return [...evidence.values()].some(
    (piece) =>
      phaseOf(piece.gate) === 'after-approval' && piece.promotion === promotion.promotion && piece.verdict === 'FAIL',
  );
}
