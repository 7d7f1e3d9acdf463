import { z } from 'zod';
import { Digest } from '#domain/canonical/digest.ts';
import { aggregateBasis } from '#domain/data/feature-plan.ts';
import { WorkBatch } from '#domain/data/feature-work.ts';
import { AggregatesList, aggregatesWrite, type PublishedAggregates } from '#domain/prediction/aggregates.ts';
import { type Refusal, refusal } from '#domain/refusal/refusal.ts';
import { readDocument, writeDocument } from '#ports/documents.ts';
import { findAggregates } from '#read-model/aggregates.ts';
import { definitionOf } from '#read-model/definitions.ts';
import { readCatalogue } from '#read-model/partitions.ts';
import { readPointer } from '#read-model/pointer.ts';
import { readPromotion } from '#read-model/promotions.ts';
import { operationName, type Recording, recordChange } from '#use-cases/audit/record-change.ts';
import { readRefusals } from '#use-cases/data/batch-refusals.ts';
import { type FeaturePlanning, planFeatureWork } from '#use-cases/data/plan-feature-work.ts';
import { planAggregates, readableDefinition } from '#use-cases/inference/plan-aggregates.ts';
import type { ReadingPredictions } from '#use-cases/inference/prediction-state.ts';
import { PromotionParameters } from '#use-cases/promotion/promotion-parameters.ts';
import { contract, Refused, type Task } from '#use-cases/task.ts';

type Reading = Pick<ReadingPredictions, 'ledger' | 'releases'>;

/** The list that endpoints are to load, and the published one that it may replace. */
const PlannedList = z.object({ list: Digest, replaces: Digest.nullable() });

export const PlanAggregates = contract({
  input: PromotionParameters,
  output: z.discriminatedUnion('status', [
    /** The release answers no requests, has the list of what is served, or there is nothing yet to make one of. */
    z.object({ status: z.literal('current') }),
    z.object({ status: z.literal('planned'), ...PlannedList.shape, dailyBatches: z.array(WorkBatch) }),
  ]),
});

/**
 * Plans the daily aggregates that the endpoint loads for a release, before the pointer names it: those of another basis than is served
 * would otherwise be listed by the batch run after the commit, and requests fail until then. Those of the served basis are the batch
 * runs' alone.
 */
export function planPromotedAggregates(deps: FeaturePlanning & Reading): Task {
  return PlanAggregates.task(async (named) => {
    const { model, release } = await readPromotion(deps.ledger, named);
    const [source, catalogue, served] = await Promise.all([
      definitionOf(deps.releases, release),
      readCatalogue(deps.ledger, model),
      servedAggregates(deps, model),
    ]);
    if (served?.basis === aggregateBasis(source.definition)) return { status: 'current' };
    const [planned] = await planAggregates(deps, { model, lastConfirmed: null }, { source, catalogue });
    if (planned === undefined || planned.isCurrent) return { status: 'current' };
    const { basis, historyFrom, days, daily, replaces } = planned;
    const work = await planFeatureWork(deps, model, catalogue, [{ source, days: [], daily }]);
    const list = await writeDocument(deps.documents, AggregatesList, {
      formatVersion: 1,
      model,
      basis,
      historyFrom,
      days: [...days],
    });
    return { status: 'planned', list, replaces, dailyBatches: [...work.dailyBatches] };
  });
}

export const PublishAggregates = contract({
  input: PromotionParameters.extend({
    aggregates: PlannedList,
    /** What the batches of daily aggregates were refused for, as documents by digest. */
    builtAggregates: z.array(z.object({ refused: Digest.nullable() })),
  }),
  output: z.discriminatedUnion('status', [
    z.object({ status: z.literal('published') }),
    /** Another list has been published since this one was planned. */
    z.object({ status: z.literal('kept') }),
    Refused,
  ]),
});

/**
 * Publishes what was planned, if all of it is built, unless another list has been published meanwhile. Refuses what would leave the
 * endpoint with less than it has: with a day that is not built, or with aggregates that end earlier than the served ones.
 */
export function publishPromotedAggregates(deps: Recording & FeaturePlanning & Reading): Task {
  return PublishAggregates.task(async (named) => {
    const { model, promotion, release } = await readPromotion(deps.ledger, named);
    const planned = await readDocument(deps.documents, AggregatesList, named.aggregates.list);
    const until = planned.days.at(-1)?.day ?? '';
    const whyNot = (await whyNotBuilt(deps, planned, named.builtAggregates)) ?? (await whyNotAsNew(deps, model, until));
    if (whyNot !== undefined) return { status: 'refused', refusal: whyNot };
    const { list, replaces } = named.aggregates;
    const { basis } = planned;
    const before = await findAggregates(deps.ledger, model, basis);
    if (before?.list === list) return { status: 'published' };
    const epoch = (await readPointer(deps.ledger, model))?.epoch ?? 0;
    const publishedAt = deps.clock.now().toISOString();
    const published: PublishedAggregates = {
      formatVersion: 1,
      model,
      basis,
      list,
      until,
      run: promotion,
      epoch,
      publishedAt,
    };
    const result = await recordChange(deps, {
      model,
      operation: operationName('aggregates', promotion, list),
      writes: [aggregatesWrite(published, replaces)],
      event: {
        code: 'AGGREGATES_PUBLISHED',
        actor: 'pipeline:release',
        release,
        details: { promotion, basis, list, epoch },
      },
    });
    if (result.kind !== 'refused') return { status: 'published' };
    const kept = await findAggregates(deps.ledger, model, basis);
    const whyNotKept = await whyNotAsNew(deps, model, kept?.until ?? '');
    return whyNotKept === undefined ? { status: 'kept' } : { status: 'refused', refusal: whyNotKept };
  });
}

/** What is published for the endpoint of the served release; undefined where it has none, or nothing is published for it. */
async function servedAggregates(
  { ledger, releases }: Reading,
  model: string,
): Promise<PublishedAggregates | undefined> {
  const pointer = await readPointer(ledger, model);
  const served = pointer === undefined ? undefined : await readableDefinition(releases, pointer.current);
  if (served?.definition.online === undefined) return undefined;
  return findAggregates(ledger, model, aggregateBasis(served.definition));
}

/** Why a list cannot be loaded: its first day that is not built. */
async function whyNotBuilt(
  { lake, documents }: FeaturePlanning,
  { model, days }: AggregatesList,
  batches: z.output<typeof PublishAggregates.input>['builtAggregates'],
): Promise<Refusal | undefined> {
  const built = await lake.built('daily', model);
  const unbuilt = days.find(({ digest }) => !built.has(digest));
  if (unbuilt === undefined) return undefined;
  const refused = await readRefusals(
    documents,
    batches.map((batch) => batch.refused),
  );
  const cause = refused.find(({ day }) => day === unbuilt.day);
  return cause === undefined
    ? refusal(
        'aggregates-built',
        `${unbuilt.day} is not built, and no batch said why`,
        'read the log of the function features, and request a new promotion',
      )
    : refusal('aggregates-built', `${unbuilt.day}: ${cause.rule}: ${cause.found}`, cause.remedy);
}

/** Why requests that are answered now would not be any more: the aggregates end earlier than those that are served. */
async function whyNotAsNew(deps: Reading, model: string, until: string): Promise<Refusal | undefined> {
  const served = await servedAggregates(deps, model);
  if (served === undefined || until >= served.until) return undefined;
  return refusal(
    'aggregates-built',
    `they end with ${until}, those that are served with ${served.until}`,
    'land the days of events and labels that are missing since, and request a new promotion',
  );
}
