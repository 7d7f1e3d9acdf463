import { z } from 'zod';
import { Digest } from '#domain/canonical/digest.ts';
import { aggregateBasis } from '#domain/data/feature-plan.ts';
import type { ReadableStore } from '#ports/artifact-store.ts';
import type { DeployedModels } from '#domain/model/deployed.ts';
import { deployedModel } from '#domain/model/deployed.ts';
import { costThreshold } from '#domain/policy/policy.ts';
import type { Evidence } from '#domain/gates/evidence.ts';
import { SeenText } from '#domain/text.ts';
import type { StateMachines } from '#ports/state-machines.ts';
import { endPromotion } from '#use-cases/promotion/end-promotion.ts';
import { returnApprovalToken } from '#use-cases/promotion/approval-token.ts';
import { hasCanary } from '#domain/promotion/canary.ts';
import {
  type GroundsState,
  isBeforeApproval,
  judgeGrounds,
  pinnedEvidence,
  whyNotCommitting,
} from '#domain/promotion/grounds.ts';
import { holdsLock, isOpen, type Promotion, promotionWrite } from '#domain/promotion/promotion.ts';
import { refusal, type Refusal } from '#domain/refusal/refusal.ts';
import { findAggregates } from '#read-model/aggregates.ts';
import { definitionOf } from '#read-model/definitions.ts';
import { readGrounds } from '#read-model/grounds.ts';
import { readPromotion } from '#read-model/promotions.ts';
import { operationName, type Recording, recordChange } from '#use-cases/audit/record-change.ts';
import { ChooseSalt } from './choose-salt.ts';
import { whyNoCanaryOf } from '#use-cases/gates/why-no-canary.ts';
import { PromotionParameters } from '#use-cases/promotion/promotion-parameters.ts';
import { contract, Refused, type Task } from '#use-cases/task.ts';

/** What a shadow answers again: requests of a window that the champion has answered. */
const ShadowPlan = z.object({
  most: z.int().positive(),
  candidate: Digest,
  /** The list of daily aggregates of the candidate's basis; null where there is none. */
  candidateAggregates: Digest.nullable(),
  /** The probability from which on people act, by the costs of the policy; null where it names none. */
  threshold: z.number().nullable(),
});

/** How requests get their arm, and above how many milliseconds an answer is slow. */
const Watched = {
  objectiveMs: z.number().nullable(),
  closeMinutes: z.int().nonnegative(),
  assigned: ChooseSalt.input.shape.assigned,
};

/** That a person ends a promotion that is under way, and why. */
export const Abort = z.object({ actor: SeenText.min(1).max(200), reason: SeenText.min(3).max(500) });

export const OpenCanary = contract({
  input: PromotionParameters.extend({ abort: Abort.nullable() }),
  output: z.discriminatedUnion('status', [
    /** No gate waits for it. */
    z.object({ status: z.literal('none') }),
    z.object({ status: z.literal('not-applicable'), reason: z.string() }),
    z.object({ status: z.literal('opened'), shadow: ShadowPlan, ...Watched }),
    /** The policy has no shadow. */
    z.object({ status: z.literal('unshadowed'), ...Watched }),
    Refused,
  ]),
});

/** From how long before it begins requests are looked at. */
const BEFORE_HOURS = 24;
/** A shadow is given more pairs than it must have: some of them say nothing. */
const MORE_PAIRS = 2;
const MOST_PAIRS = 5000;

/** What opening a canary reads and writes. */
interface Opening extends Recording {
  readonly deployed: DeployedModels;
  readonly machines: StateMachines;
  readonly releases: ReadableStore;
}

/**
 * Begins what is watched after the approval: whoever has approved in time has approved, however long it takes. Again it says the same; a
 * promotion that has ended opens nothing.
 */
export function openCanary(deps: Opening): Task {
  return OpenCanary.task(async ({ abort, ...named }) => {
    const promotion = await readPromotion(deps.ledger, named);
    if (abort !== null) return { status: 'refused', refusal: await aborted(deps, promotion, abort) };
    if (!hasCanary(promotion)) return { status: 'none' };
    if (!isOpen(promotion.status))
      return { status: 'refused', refusal: refusal('promotion-open', `it is ${promotion.status}`) };
    const reason = await whyNoCanaryOf(deps, promotion);
    if (reason !== undefined) return { status: 'not-applicable', reason };
    if (promotion.canary === null)
      return { status: 'refused', refusal: refusal('canary-stands', 'the policy has no canary for this transition') };
    if (promotion.status !== 'in-canary') {
      const why = await begin(deps, promotion);
      if (why !== undefined) return { status: 'refused', refusal: why };
    }
    const { events, online } = deployedModel(deps.deployed, promotion.model).definition;
    const { assignment: by, share, shadow } = promotion.canary;
    const until = deps.clock.now();
    const watched = {
      objectiveMs: online?.objectiveMs ?? null,
      closeMinutes: promotion.canary.closeMinutes,
      assigned: {
        by,
        share,
        entity: events.entity,
        champion: promotion.replaces ?? promotion.release,
        from: new Date(until.getTime() - BEFORE_HOURS * 3_600_000).toISOString(),
        until: until.toISOString(),
      },
    };
    if (shadow === undefined) return { status: 'unshadowed', ...watched };
    return { status: 'opened', shadow: await shadowPlan(deps, promotion, shadow.minimumPairs), ...watched };
  });
}

/**
 * Ends a promotion as somebody says who may start this machine: no approval is asked for, and none is in the way. Whatever watches it finds that it
 * has ended.
 */
async function aborted(
  deps: Opening,
  promotion: Promotion,
  { actor, reason }: z.output<typeof Abort>,
): Promise<Refusal> {
  const why = refusal('promotion-not-aborted', `aborted by ${actor}: ${reason}`);
  const answer = { status: 'refused', refusal: why } as const;
  await endPromotion(deps, promotion, answer);
  await returnApprovalToken(deps, promotion, answer);
  return why;
}

async function begin(deps: Recording, promotion: Promotion): Promise<Refusal | undefined> {
  const now = deps.clock.now();
  const state = await readGrounds(deps.ledger, promotion);
  const grounds = judgeGrounds(state, now, isBeforeApproval);
  const why = whyNotCommitting(grounds);
  if (why !== undefined) return why;
  const expires = firstToExpire(state, promotion, now);
  if (expires !== undefined)
    return refusal(
      'evidence-complete',
      `${expires.gate} expires at ${expires.expiresAt}, before the canary can end`,
      'have it tested or attested again, and request a new promotion',
    );
  const approvals = grounds.people.kind === 'approved' ? grounds.people.approvals : [];
  const opened: Promotion = { ...promotion, status: 'in-canary', approvedAt: now.toISOString() };
  const { model, version, release, canaryRequest } = promotion;
  const result = await recordChange(deps, {
    model,
    operation: operationName('canary-open', promotion.promotion),
    writes: [holdsLock(promotion), promotionWrite(promotion, opened)],
    event: {
      code: 'CANARY_OPENED',
      actor: 'pipeline:release',
      release,
      details: {
        promotion: promotion.promotion,
        version,
        approvedBy: approvals.map(({ subject, role }) => `${subject} (${role})`),
        ...(canaryRequest?.kind === 'shadow-only' ? { shadowOnly: true as const } : {}),
      },
    },
  });
  return result.kind === 'refused' ? refusal('promotion-open', 'it has ended meanwhile') : undefined;
}

/** The evidence that will have expired when a canary that begins now ends at the earliest: what passes it could not be committed. */
function firstToExpire(state: GroundsState, { canary }: Promotion, now: Date): Evidence | undefined {
  const ends = now.getTime() + (canary?.hours ?? 0) * 3_600_000;
  return pinnedEvidence(state).find(({ expiresAt }) => Date.parse(expiresAt) <= ends);
}

async function shadowPlan(deps: Opening, promotion: Promotion, pairs: number): Promise<z.output<typeof ShadowPlan>> {
  const { model, release } = promotion;
  const [{ active }, { definition }] = await Promise.all([
    readGrounds(deps.ledger, promotion),
    definitionOf(deps.releases, release),
  ]);
  const aggregates = await findAggregates(deps.ledger, model, aggregateBasis(definition));
  const costs = active?.rules.costs;
  return {
    most: Math.min(MOST_PAIRS, pairs * MORE_PAIRS),
    candidate: release,
    candidateAggregates: aggregates?.list ?? null,
    threshold: costs === undefined ? null : costThreshold(costs),
  };
}
