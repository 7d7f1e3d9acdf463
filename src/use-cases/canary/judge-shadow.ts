import { z } from 'zod';
import { Digest } from '#domain/canonical/digest.ts';
import { judgeShadow as judge } from '#domain/canary/shadow.ts';
import { ShadowReplay } from '#domain/canary/shadow-batches.ts';
import { GatehouseError } from '#domain/error.ts';
import type { GateResult } from '#domain/gates/gate.ts';
import { shadow as shadowGate } from '#domain/gates/gates/shadow.ts';
import { deployedModel } from '#domain/model/deployed.ts';
import { isOpen, type Promotion } from '#domain/promotion/promotion.ts';
import { type Refusal, refusal } from '#domain/refusal/refusal.ts';
import { readDocument } from '#ports/documents.ts';
import { readPromotion } from '#read-model/promotions.ts';
import { type Judging, notOpen } from '#use-cases/gates/judge-gates.ts';
import { recordEvidence } from '#use-cases/gates/record-evidence.ts';
import { whyNoCanaryOf } from '#use-cases/gates/why-no-canary.ts';
import { PromotionParameters } from '#use-cases/promotion/promotion-parameters.ts';
import { contract, Refused, type Task } from '#use-cases/task.ts';

/** There is no canary to begin. */
const Finished = z.object({ status: z.literal('finished'), found: z.string() });

export const JudgeShadow = contract({
  input: PromotionParameters.extend({
    shadow: z.discriminatedUnion('status', [
      z.object({
        status: z.literal('no-events'),
        /** Requests of the champion whose raw events are not kept, or not any more. */
        leftOut: z.int().nonnegative(),
      }),
      z.object({ status: z.literal('replayed'), pairs: Digest }),
    ]),
  }),
  output: z.discriminatedUnion('status', [
    /** The canary can begin. */
    z.object({ status: z.literal('passed'), found: z.string() }),
    Finished,
    Refused,
  ]),
});

export const SkipCanary = contract({
  input: PromotionParameters,
  output: z.discriminatedUnion('status', [Finished, Refused]),
});

/**
 * Judges what candidate and champion answered to the same stored requests. Where the model keeps no raw events the canary begins unshadowed, and its
 * evidence says so; where it keeps some and there are none, nothing is proven.
 */
export function judgeShadow(deps: Judging): Task {
  return JudgeShadow.task(async ({ shadow, ...named }) => {
    const promotion = await readPromotion(deps.ledger, named);
    const isAlone = promotion.canaryRequest?.kind === 'shadow-only';
    const [result, pairs] =
      shadow.status === 'replayed'
        ? [await resultOf(deps, promotion, shadow.pairs), shadow.pairs]
        : [withoutEvents(deps, promotion, shadow.leftOut, isAlone), null];
    const recorded = await record(deps, promotion, 'shadow', result, pairs);
    if (recorded !== undefined) return { status: 'refused', refusal: recorded };
    const found = result.reasons.join('; ');
    if (!isAlone) return { status: 'passed', found };
    const canary = {
      verdict: 'NOT_APPLICABLE',
      reasons: ['it is promoted on its shadow alone, as was approved'],
      numbers: {},
    } as const;
    const why = await record(deps, promotion, 'canary', canary, null);
    return why === undefined ? { status: 'finished', found } : { status: 'refused', refusal: why };
  });
}

/** Records that no shadow and no canary apply to a promotion, and why; where they do, it refuses. */
export function skipCanary(deps: Judging): Task {
  return SkipCanary.task(async (named) => {
    const promotion = await readPromotion(deps.ledger, named);
    const reason = await whyNoCanaryOf(deps, promotion);
    const result: GateResult =
      reason === undefined
        ? { verdict: 'INCONCLUSIVE', reasons: ['a canary applies, and none was begun'], numbers: {} }
        : { verdict: 'NOT_APPLICABLE', reasons: [reason], numbers: {} };
    for (const gate of ['shadow', 'canary'] as const) {
      const why = await record(deps, promotion, gate, result, null);
      if (why !== undefined) return { status: 'refused', refusal: why };
    }
    return { status: 'finished', found: result.reasons.join('; ') };
  });
}

/** What a shadow without a single request is. */
function withoutEvents(deps: Judging, { model }: Promotion, leftOut: number, isAlone: boolean): GateResult {
  const { online } = deployedModel(deps.deployed, model).definition;
  const [verdict, reason] =
    online?.retentionDays !== 0
      ? (['INCONCLUSIVE', `no stored request of the champion within a day, ${leftOut} left out`] as const)
      : isAlone
        ? (['INCONCLUSIVE', 'the model keeps no events of requests, and there is to be no canary'] as const)
        : (['NOT_APPLICABLE', 'the model keeps no events of requests: the canary begins unshadowed'] as const);
  return { verdict, reasons: [reason], numbers: { leftOut } };
}

async function resultOf(deps: Judging, promotion: Promotion, pairs: Digest): Promise<GateResult> {
  const { model, canary } = promotion;
  if (canary?.shadow === undefined)
    return { verdict: 'INCONCLUSIVE', reasons: ['the policy has no shadow'], numbers: {} };
  const hasLatencyObjective = deployedModel(deps.deployed, model).definition.online !== undefined;
  const { batches } = await readReplay(deps, promotion, pairs);
  return shadowGate(judge({ ...canary, shadow: canary.shadow }, batches, { isComplete: true, hasLatencyObjective }));
}

/** The pairs of a shadow. @throws GatehouseError `CANARY_MISMATCH` where they are another promotion's: those say nothing of its candidate */
async function readReplay(
  deps: Judging,
  { model, release, replaces }: Promotion,
  digest: Digest,
): Promise<z.output<typeof ShadowReplay>> {
  const document = await readDocument(deps.documents, ShadowReplay, digest);
  if (document.model === model && document.candidate === release && document.champion === replaces) return document;
  const found = `pairs of ${document.model}, ${document.candidate} beside ${document.champion}`;
  const expected = `not of ${model}, ${release} beside ${replaces ?? 'nothing'}`;
  throw new GatehouseError('CANARY_MISMATCH', `${found}, ${expected}`, { pairs: digest });
}

/** Records a gate's evidence where the gate is pinned; why the promotion may not go on, or undefined. */
async function record(
  deps: Judging,
  promotion: Promotion,
  gate: 'shadow' | 'canary',
  result: GateResult,
  measure: Digest | null,
): Promise<Refusal | undefined> {
  if (!isOpen(promotion.status)) return notOpen(promotion);
  if (promotion.gates.includes(gate)) {
    const evidence = await recordEvidence(deps, promotion, gate, result, measure);
    if (evidence === undefined) return notOpen(await readPromotion(deps.ledger, promotion));
  }
  if (result.verdict === 'PASS' || result.verdict === 'NOT_APPLICABLE') return undefined;
  return refusal(
    'gates-passed',
    `${gate}: ${result.verdict}: ${result.reasons.join('; ')}`.slice(0, 2000),
    'gatehouse why shows each gate, its numbers and what would change it',
  );
}
