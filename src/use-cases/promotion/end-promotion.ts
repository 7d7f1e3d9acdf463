import { z } from 'zod';
import { truncated } from '#domain/audit/truncated.ts';
import type { Refusal } from '#domain/error.ts';
import { ABSENT } from '#domain/ledger/item.ts';
import { keys } from '#domain/ledger/keys.ts';
import { freeLock, type Promotion, promotionWrite } from '#domain/promotion/promotion.ts';
import type { AuditEvent } from '#domain/audit/events.ts';
import { findPromotion, type NamedPromotion, readLock } from '#read-model/promotions.ts';
import { PromotionParameters } from '#use-cases/promotion/promotion-parameters.ts';
import { operationName, type Recording, recordChange } from '#use-cases/audit/record-change.ts';
import { type Task, task } from '#use-cases/task.ts';

const RefusalShape = z.object({ rule: z.string(), found: z.string(), remedy: z.string() });

/** Ends a promotion that may not go on: the lock is free again, the reason is in the chain, people are told. */
export function refusePromotion(deps: Recording): Task {
  return task(PromotionParameters.extend({ refusal: RefusalShape }), async ({ refusal, ...named }) =>
    endPromotion(deps, named, 'refused', refusal),
  );
}

/** Ends a promotion that met a fault; the error is in the chain, people are told. */
export function recordFailure(deps: Recording): Task {
  return task(
    PromotionParameters.extend({ error: z.object({ Error: z.string().optional(), Cause: z.string().optional() }) }),
    async ({ error, ...named }) =>
      endPromotion(deps, named, 'failed', {
        rule: error.Error ?? 'fault',
        found: error.Cause ?? 'no cause was given',
        remedy: 'see the execution, mend the cause, ask again',
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
  status: 'refused' | 'failed',
  refusal: Refusal,
): Promise<{ readonly status: string; readonly refusal: Refusal }> {
  const promotion = await findPromotion(deps.ledger, named.model, named.promotion);
  const isOpen = promotion?.status === 'open' || promotion?.status === 'awaiting-approval';
  // The promotion that took its place has said so in the chain: nothing failed, and nobody need be told again.
  if (promotion?.status === 'superseded') return { status: 'superseded', refusal };
  if (promotion?.status === 'committed') {
    if (status === 'failed') await recordFaultAfterCommit(deps, promotion, refusal);
    return { status: 'committed', refusal };
  }
  const lock = await readLock(deps.ledger, named.model);
  const writes =
    promotion !== undefined && isOpen
      ? [
          promotionWrite(promotion, ended(promotion, status, refusal, deps.clock.now())),
          ...(lock?.promotion === named.promotion && lock.fencingToken === promotion.fencingToken
            ? [freeLock(promotion)]
            : []),
        ]
      : promotion === undefined
        ? // Should it open at this moment, it is ended as what it then is: otherwise nobody could end it any more.
          [{ kind: 'check' as const, key: keys.promotion(named.model, named.promotion), condition: ABSENT }]
        : [];
  const event: AuditEvent =
    status === 'refused'
      ? {
          code: 'PROMOTION_REFUSED',
          actor: 'pipeline:release',
          release: promotion?.release ?? null,
          details: {
            promotion: named.promotion,
            rule: refusal.rule,
            reasons: truncated(refusal.found.split('; '), 12, 2800),
          },
        }
      : {
          code: 'PROMOTION_FAILED',
          actor: 'pipeline:release',
          release: promotion?.release ?? null,
          details: { promotion: named.promotion, state: refusal.rule, error: errorOf(refusal) },
        };
  const result = await recordChange(deps, {
    model: named.model,
    operation: endOperation(named.promotion),
    writes,
    event,
  });
  // Somebody else has ended it since it was read: what it says now decides.
  return result.kind === 'refused' ? endPromotion(deps, named, status, refusal) : { status, refusal };
}

/** A fault after the pointer was switched ends no promotion, but people have to know: what was promoted may not be served. */
async function recordFaultAfterCommit(
  deps: Recording,
  { model, promotion, release }: Promotion,
  refusal: Refusal,
): Promise<void> {
  await recordChange(deps, {
    model,
    operation: operationName('failed', 'promotion', promotion),
    writes: [],
    event: {
      code: 'RUN_FAILED',
      actor: 'pipeline:release',
      release,
      details: { machine: 'promotion', run: promotion, state: refusal.rule, error: errorOf(refusal) },
    },
  });
}

function errorOf({ found }: Refusal): string {
  return truncated([found], 1, 1200).join('');
}

function ended(promotion: Promotion, status: 'refused' | 'failed', refusal: Refusal, now: Date): Promotion {
  return {
    ...promotion,
    status,
    ending: `${refusal.rule}: ${refusal.found}`.slice(0, 900),
    endedAt: now.toISOString(),
  };
}
