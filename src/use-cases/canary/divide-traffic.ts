import { z } from 'zod';
import { lookAfter } from '#domain/canary/looks.ts';
import { detailsOf } from '#domain/audit/chain.ts';
import { GatehouseError } from '#domain/error.ts';
import { endCanary, startCanary as begin } from '#domain/promotion/canary.ts';
import { judgeGrounds, whyNotCommitting } from '#domain/promotion/grounds.ts';
import type { Pointer } from '#domain/promotion/pointer.ts';
import { isOpen, type Promotion } from '#domain/promotion/promotion.ts';
import { refusal, Refusal } from '#domain/refusal/refusal.ts';
import { findOperation, findRecord } from '#read-model/chain.ts';
import { readEvidence, readGrounds } from '#read-model/grounds.ts';
import { readPointer } from '#read-model/pointer.ts';
import { findPromotion, readPromotion } from '#read-model/promotions.ts';
import { isQuarantined } from '#read-model/quarantines.ts';
import { operationName, type Recording, recordChange } from '#use-cases/audit/record-change.ts';
import { PromotionParameters } from '#use-cases/promotion/promotion-parameters.ts';
import { contract, Refused, type Task } from '#use-cases/task.ts';
import { whyNotHealthy } from './why-not-healthy.ts';

export const StartCanary = contract({
  /** The salt by which requests get their arm. */
  input: PromotionParameters.extend({ salt: z.string().min(1) }),
  output: z.discriminatedUnion('status', [
    z.object({
      status: z.literal('started'),
      /** What its minutes are counted from: the plan's moment, and the pointer that put it. */
      startedAt: z.iso.datetime(),
      pointerSeq: z.int(),
      /** Until it is looked at again. */
      waitSeconds: z.int().positive(),
    }),
    Refused,
  ]),
});

const ATTEMPTS = 5;

/**
 * Divides the traffic for a promotion's canary, once. Again it says when that was, as long as the plan stands; a plan that is gone does not come
 * back, whoever took it away.
 */
export function startCanary(deps: Recording): Task {
  return StartCanary.task(async ({ salt, ...named }) => {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      const promotion = await readPromotion(deps.ledger, named);
      const { model, canary, status } = promotion;
      const operation = operationName('canary-start', promotion.promotion);
      const [state, done] = await Promise.all([
        readGrounds(deps.ledger, promotion),
        findOperation(deps.ledger, model, operation),
      ]);
      const { pointer } = state;
      if (done !== undefined) return started(deps, promotion, pointer, done.seq);
      if (pointer === undefined || canary === null || status !== 'in-canary')
        return refused(refusal('canary-stands', `no canary was opened: the promotion is ${status}`));
      const standing = pointer.traffic.plan;
      // What an ended promotion has left behind keeps nobody from beginning.
      if (standing !== undefined && (await isUnderWay(deps, model, standing.promotion)))
        return refused(refusal('canary-stands', `the traffic is divided for ${standing.promotion}`));
      const sick = await whyNotHealthy(deps, pointer);
      if (sick !== undefined) return refused(sick);
      const now = deps.clock.now();
      const why = whyNotCommitting(judgeGrounds(state, now, (gate) => gate !== 'canary'));
      if (why !== undefined) return refused(why);
      const { writes, event } = begin(pointer, { ...promotion, canary }, { salt, now });
      const result = await recordChange(deps, { model, operation, writes, event });
      // Whatever has changed since it was read is read again, and refused by its own rule.
      if (result.kind !== 'refused') return started(deps, promotion, await readPointer(deps.ledger, model), result.seq);
    }
    throw new GatehouseError('CHAIN_CONTENDED', 'the pointer did not come to rest; try again', { ...named });
  });
}

async function isUnderWay(deps: Recording, model: string, promotion: string): Promise<boolean> {
  const found = await findPromotion(deps.ledger, model, promotion);
  return found !== undefined && isOpen(found.status);
}

/** What the record of its start says, as long as the plan stands. */
async function started(
  deps: Recording,
  { model, promotion }: Promotion,
  pointer: Pointer | undefined,
  seq: number,
): Promise<z.output<typeof StartCanary.output>> {
  const record = await findRecord(deps.ledger, model, seq);
  if (record === undefined)
    throw new GatehouseError('RECORD_VANISHED', `record ${seq} of ${model} was read before, and is not there`, { seq });
  const plan = pointer?.traffic.plan;
  if (plan?.promotion !== promotion) return refused(refusal('canary-stands', 'its traffic is divided no more'));
  const { pointerSeq } = detailsOf(record, 'CANARY_STARTED');
  return {
    status: 'started',
    startedAt: plan.startedAt,
    pointerSeq,
    waitSeconds: lookAfter(new Date(plan.startedAt), deps.clock.now()),
  };
}

export const StopCanary = contract({
  input: PromotionParameters.extend({
    /** Why it ends, where no gate says so. */
    outcome: z.object({ refusal: Refusal.exactOptional() }).exactOptional(),
  }),
  output: z.object({ status: z.enum(['stopped', 'nothing-to-stop']) }),
});

/** The operation that ends the canary of a promotion: there is one, so that nothing is quarantined again that people have let go. */
export function stopOperation(promotion: string): string {
  return operationName('canary-stop', promotion);
}

/**
 * Ends a promotion's canary: the champion answers everything, and a candidate of which a gate says FAIL is quarantined. It reads what gates have
 * recorded, whoever asks: nobody can have a release quarantined by asking. It stops what a promotion that has ended left behind as well.
 */
export function stopCanary(deps: Recording): Task {
  return StopCanary.task(async ({ outcome, ...named }) => {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      const [promotion, pointer] = await Promise.all([
        findPromotion(deps.ledger, named.model, named.promotion),
        readPointer(deps.ledger, named.model),
      ]);
      if (promotion === undefined || pointer === undefined) return { status: 'nothing-to-stop' };
      const ending = await endingFor(deps, promotion, pointer, outcome?.refusal);
      if (ending === undefined) return { status: 'nothing-to-stop' };
      const { writes, event } = ending;
      const operation = stopOperation(promotion.promotion);
      const result = await recordChange(deps, { model: promotion.model, operation, writes, event });
      if (result.kind !== 'refused') return { status: 'stopped' };
    }
    throw new GatehouseError('CHAIN_CONTENDED', 'the pointer did not come to rest; try again', { ...named });
  });
}

async function endingFor(deps: Recording, promotion: Promotion, pointer: Pointer, why: Refusal | undefined) {
  const { model, release, status } = promotion;
  const evidence = [...(await readEvidence(deps.ledger, promotion)).values()].filter(
    (piece) => piece.promotion === promotion.promotion,
  );
  const reason = why === undefined ? `the promotion is ${status}` : `${why.rule}: ${why.found}`;
  return endCanary(pointer, promotion, evidence, {
    reason,
    isQuarantined: await isQuarantined(deps.ledger, model, release),
    now: deps.clock.now(),
  });
}

function refused(why: Refusal): { status: 'refused'; refusal: Refusal } {
  return { status: 'refused', refusal: why };
}
