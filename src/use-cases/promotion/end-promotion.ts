import { z } from 'zod';
import { truncated } from '#domain/audit/truncated.ts';
import { Refusal } from '#domain/refusal/refusal.ts';
import { ABSENT } from '#domain/ledger/item.ts';
import { keys } from '#domain/ledger/keys.ts';
import { freeLock, isOpen, type Promotion, promotionWrite } from '#domain/promotion/promotion.ts';
import type { AuditEvent } from '#domain/audit/events.ts';
import { findPromotion, type NamedPromotion, readLock } from '#read-model/promotions.ts';
import { PromotionParameters } from '#use-cases/promotion/promotion-parameters.ts';
import { operationName, type Recording, recordChange } from '#use-cases/audit/record-change.ts';
import { CaughtError, contract, type Task } from '#use-cases/task.ts';

/** How a promotion ends without a commit: refused by a rule, or failed in a state of its execution. */
type Ending = { readonly status: 'refused'; readonly refusal: Refusal } | Failed;

interface Failed {
  readonly status: 'failed';
  readonly state: string;
  readonly error: string;
}

/** How it ended; or that it had ended otherwise before, which decides. */
const Ended = z.object({
  status: z.enum(['refused', 'failed', 'superseded', 'committed']),
  refusal: Refusal.exactOptional(),
  /** The state that failed, and how. */
  state: z.string().exactOptional(),
  error: z.string().exactOptional(),
});

export const RefusePromotion = contract({
  input: PromotionParameters.extend({ refusal: Refusal }),
  output: Ended,
});

export const RecordPromotionFailure = contract({
  input: PromotionParameters.extend({ error: CaughtError }),
  output: Ended,
});

/** Ends a promotion that may not go on: the lock is free again, the reason is in the chain, people are told. */
export function refusePromotion(deps: Recording): Task {
  return RefusePromotion.task(({ refusal, ...named }) => endPromotion(deps, named, { status: 'refused', refusal }));
}

/** Ends a promotion that met a fault; the error is in the chain, people are told. */
export function recordFailure(deps: Recording): Task {
  return RecordPromotionFailure.task(({ error, ...named }) =>
    endPromotion(deps, named, {
      status: 'failed',
      state: error.Error ?? 'fault',
      error: error.Cause ?? 'no cause was given',
    }),
  );
}

/** The operation that ends a promotion: there is one, also for a promotion that never opened. */
export function endOperation(promotion: string): string {
  return operationName('end', promotion);
}

/** Ends a promotion once, whoever asks, and whatever its record says already. */
export async function endPromotion(
  deps: Recording,
  named: NamedPromotion,
  ending: Ending,
): Promise<z.output<typeof Ended>> {
  const promotion = await findPromotion(deps.ledger, named.model, named.promotion);
  const isUnderWay = promotion !== undefined && isOpen(promotion.status);
  // The promotion that took its place has said so in the chain: nothing failed, and nobody need be told again.
  if (promotion?.status === 'superseded') return { ...ending, status: 'superseded' };
  if (promotion?.status === 'committed') {
    if (ending.status === 'failed') await recordFaultAfterCommit(deps, promotion, ending);
    return { ...ending, status: 'committed' };
  }
  const lock = await readLock(deps.ledger, named.model);
  const writes = isUnderWay
    ? [
        promotionWrite(promotion, ended(promotion, ending, deps.clock.now())),
        ...(lock?.promotion === named.promotion && lock.fencingToken === promotion.fencingToken
          ? [freeLock(promotion)]
          : []),
      ]
    : promotion === undefined
      ? // Should it open at this moment, it is ended as what it then is: otherwise nobody could end it any more.
        [{ kind: 'check' as const, key: keys.promotion(named.model, named.promotion), condition: ABSENT }]
      : [];
  const event: AuditEvent =
    ending.status === 'refused'
      ? {
          code: 'PROMOTION_REFUSED',
          actor: 'pipeline:release',
          release: promotion?.release ?? null,
          details: {
            promotion: named.promotion,
            rule: ending.refusal.rule,
            reasons: truncated(ending.refusal.found.split('; '), 12, 2800),
          },
        }
      : {
          code: 'PROMOTION_FAILED',
          actor: 'pipeline:release',
          release: promotion?.release ?? null,
          details: { promotion: named.promotion, state: ending.state, error: errorOf(ending) },
        };
  const result = await recordChange(deps, {
    model: named.model,
    operation: endOperation(named.promotion),
    writes,
    event,
  });
  // Somebody else has ended it since it was read: what it says now decides.
  return result.kind === 'refused' ? endPromotion(deps, named, ending) : ending;
}

/** A fault after the pointer was switched ends no promotion, but people have to know: what was promoted may not be served. */
async function recordFaultAfterCommit(
  deps: Recording,
  { model, promotion, release }: Promotion,
  ending: Failed,
): Promise<void> {
  await recordChange(deps, {
    model,
    operation: operationName('failed', 'promotion', promotion),
    writes: [],
    event: {
      code: 'RUN_FAILED',
      actor: 'pipeline:release',
      release,
      details: { machine: 'promotion', run: promotion, state: ending.state, error: errorOf(ending) },
    },
  });
}

function errorOf({ error }: Failed): string {
  return truncated([error], 1, 1200).join('');
}

function ended(promotion: Promotion, ending: Ending, now: Date): Promotion {
  const said =
    ending.status === 'refused'
      ? `${ending.refusal.rule}: ${ending.refusal.found}`
      : `${ending.state}: ${ending.error}`;
  return {
    ...promotion,
    status: ending.status,
    ending: said.slice(0, 900),
    endedAt: now.toISOString(),
  };
}
