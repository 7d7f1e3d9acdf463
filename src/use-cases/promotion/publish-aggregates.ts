import { z } from 'zod';
import { Digest } from '#domain/canonical/digest.ts';
import { WorkBatch } from '#domain/data/feature-work.ts';
import { ABSENT, equals } from '#domain/ledger/item.ts';
import { AggregatesList } from '#domain/prediction/aggregates.ts';
import { readDocument, writeDocument } from '#ports/documents.ts';
import { findAggregates } from '#read-model/aggregates.ts';
import { definitionOf } from '#read-model/definitions.ts';
import { readCatalogue } from '#read-model/partitions.ts';
import { readPointer } from '#read-model/pointer.ts';
import { readPromotion } from '#read-model/promotions.ts';
import { operationName, type Recording, recordChange } from '#use-cases/audit/record-change.ts';
import { type FeaturePlanning, planFeatureWork } from '#use-cases/data/plan-feature-work.ts';
import { listWrites } from '#use-cases/inference/aggregates-list.ts';
import { planAggregates } from '#use-cases/inference/plan-aggregates.ts';
import type { ReadingPredictions } from '#use-cases/inference/prediction-state.ts';
import { PromotionParameters } from '#use-cases/promotion/promotion-parameters.ts';
import { contract, type Task } from '#use-cases/task.ts';

export const PlanAggregates = contract({
  input: PromotionParameters,
  output: z.discriminatedUnion('status', [
    /** The release answers no requests, has the list of what is served, or there is nothing yet to make one of. */
    z.object({ status: z.literal('current') }),
    z.object({ status: z.literal('planned'), list: Digest, dailyBatches: z.array(WorkBatch) }),
  ]),
});

/**
 * Plans the daily aggregates that the endpoint loads for a release, before the pointer names it: those of another basis than is served
 * would otherwise be listed by the batch run after the commit, and requests fail until then.
 */
export function planPromotedAggregates(
  deps: FeaturePlanning & Pick<ReadingPredictions, 'ledger' | 'releases' | 'engine'>,
): Task {
  return PlanAggregates.task(async (named) => {
    const { model, release } = await readPromotion(deps.ledger, named);
    const [source, catalogue] = await Promise.all([
      definitionOf(deps.releases, release),
      readCatalogue(deps.ledger, model),
    ]);
    const [planned] = await planAggregates(deps, { model, lastConfirmed: null }, { source, catalogue });
    if (planned === undefined || planned.isCurrent) return { status: 'current' };
    const { basis, historyFrom, days, daily } = planned;
    const work = await planFeatureWork(deps, model, catalogue, [{ source, days: [], daily }]);
    const list = await writeDocument(deps.documents, AggregatesList, {
      formatVersion: 1,
      model,
      basis,
      historyFrom,
      days: [...days],
    });
    return { status: 'planned', list, dailyBatches: [...work.dailyBatches] };
  });
}

export const PublishAggregates = contract({
  input: PromotionParameters.extend({ aggregates: z.object({ list: Digest }) }),
  /** `kept` where a list that is as new has been published meanwhile, or nothing of this one is built. */
  output: z.object({ status: z.enum(['published', 'kept']) }),
});

/** Publishes what was planned and is built, unless a batch run has published as much meanwhile. */
export function publishPromotedAggregates(
  deps: Recording & FeaturePlanning & Pick<ReadingPredictions, 'ledger' | 'releases'>,
): Task {
  return PublishAggregates.task(async (named) => {
    const { model, promotion, release } = await readPromotion(deps.ledger, named);
    const list = await readDocument(deps.documents, AggregatesList, named.aggregates.list);
    const before = await findAggregates(deps.ledger, model, list.basis);
    if (before !== undefined && before.until >= (list.days.at(-1)?.day ?? '')) return { status: 'kept' };
    const epoch = (await readPointer(deps.ledger, model))?.epoch ?? 0;
    const [write] = await listWrites(deps, [{ ...list, run: promotion, epoch }]);
    if (write?.kind !== 'put') return { status: 'kept' };
    const condition = before === undefined ? ABSENT : equals({ list: before.list });
    const result = await recordChange(deps, {
      model,
      operation: operationName('aggregates', promotion, named.aggregates.list),
      writes: [{ ...write, condition }],
      event: {
        code: 'AGGREGATES_PUBLISHED',
        actor: 'pipeline:release',
        release,
        details: { promotion, basis: list.basis, list: named.aggregates.list, epoch },
      },
    });
    return { status: result.kind === 'refused' ? 'kept' : 'published' };
  });
}
