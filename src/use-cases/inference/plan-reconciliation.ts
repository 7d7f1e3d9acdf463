import { z } from 'zod';
import { Digest } from '#domain/canonical/digest.ts';
import { predictionDigest, WorkBatch } from '#domain/data/feature-work.ts';
import { waitingForRefused, waitingText } from '#domain/prediction/blocked.ts';
import { planPredictions } from '#domain/prediction/desired.ts';
import { BatchKind, BatchPlan } from '#domain/prediction/manifest.ts';
import { writeDocument } from '#ports/documents.ts';
import type { Clock } from '#ports/clock.ts';
import { readPointer } from '#read-model/pointer.ts';
import { type FeaturePlanning, planFeatureWork } from '#use-cases/data/plan-feature-work.ts';
import { planScoreWork } from '#use-cases/data/plan-score-work.ts';
import { contract, type Task } from '#use-cases/task.ts';
import { changeFence } from './fence.ts';
import { planAggregates } from './plan-aggregates.ts';
import { type ReadingPredictions, readPredictionState } from './prediction-state.ts';

export interface ReconciliationPlanning extends FeaturePlanning, ReadingPredictions {
  readonly clock: Clock;
}

/**
 * From so many partitions on, the batches run as a Distributed Map: an inline one works at no more than 40 at a time,
 * and all its events count against its execution's 25,000.
 * Source: https://docs.aws.amazon.com/step-functions/latest/dg/state-map.html
 */
const DISTRIBUTED_FROM = 1000;

/** How long published rows are kept for look-up after a manifest last named them: then no reader can name them any more. */
const LOOKUP_MARGIN_DAYS = 30;

/** What every plan says, also one that finds nothing to do. */
const Planned = {
  /** How often a run was asked for when this one began. */
  requested: z.int(),
  startedAt: z.iso.datetime(),
  rows: z.enum(['published', 'none']),
  scale: z.enum(['inline', 'distributed']),
  dailyBatches: z.array(WorkBatch),
  featureBatches: z.array(WorkBatch),
  scoreBatches: z.array(WorkBatch),
};

export const PlanReconciliation = contract({
  input: z.object({ model: z.string(), run: z.string() }),
  output: z.discriminatedUnion('status', [
    z.object({ status: z.literal('nothing-served'), kind: z.literal('none'), ...Planned }),
    z.object({
      status: z.literal('planned'),
      kind: BatchKind,
      ...Planned,
      plan: Digest,
      release: Digest,
      epoch: z.int(),
      /** Partitions to score, days that wait for something, and all days that predictions are due of. */
      partitions: z.int(),
      waiting: z.int(),
      days: z.int(),
    }),
  ]),
});

/** Compares what the store of predictions should hold with what it holds; takes the fence, so that older runs publish nothing more. */
export function planReconciliation(deps: ReconciliationPlanning): Task {
  return PlanReconciliation.task(async ({ model, run }) => {
    const pointer = await readPointer(deps.ledger, model);
    const startedAt = deps.clock.now().toISOString();
    const fence = await changeFence(deps.ledger, model, (before) => ({
      ...before,
      fence: before.fence + 1,
      running: run,
      startedAt,
    }));
    const about = { requested: fence.requested, startedAt };
    if (pointer === undefined)
      return { status: 'nothing-served', kind: 'none', scale: 'inline', rows: 'none', ...about, ...NO_WORK };
    const release = pointer.current;
    const { source, state, refusals } = await readPredictionState(deps, model, release);
    const { definition, schema, scorer, catalogue } = state;
    const { plan, waiting } = planPredictions(state);
    const toScore = plan.partitions.filter(({ action }) => action !== 'keep');
    const days = toScore.map(({ day }) => day);
    const aggregates = await planAggregates(deps, pointer, { source, catalogue });
    const kind = plan.kind === 'none' && aggregates.some(({ isCurrent }) => !isCurrent) ? 'aggregates' : plan.kind;
    const work = await planFeatureWork(deps, model, catalogue, [
      { source, days },
      ...aggregates.map(({ source, daily }) => ({ source, days: [], daily })),
    ]);
    const blocked = waitingForRefused(waiting, refusals);
    const digest = await writeDocument(deps.documents, BatchPlan, {
      formatVersion: 1,
      model,
      run,
      kind,
      release,
      scorer,
      schema,
      epoch: pointer.epoch,
      fence: fence.fence,
      requested: fence.requested,
      partitions: toScore.map(({ day, features, reasons, rows }) => ({
        day,
        features,
        predictions: predictionDigest(features, release, scorer),
        reasons: [...reasons],
        rows,
      })),
      ...(aggregates.length === 0
        ? {}
        : {
            aggregates: aggregates.map(({ basis, historyFrom, days, replaces }) => ({
              basis,
              historyFrom,
              days: [...days],
              replaces,
            })),
          }),
      waiting: waiting.map(waitingText),
      ...(blocked.length === 0 ? {} : { blocked }),
    });
    const { lookup, days: kept } = definition.predictions;
    const scoreBatches = await planScoreWork(
      deps.documents,
      model,
      toScore.map(({ day, features, previous }) => ({
        release,
        day,
        features,
        ...(previous === null ? {} : { previous }),
      })),
      lookup === true ? { lookupDays: kept + LOOKUP_MARGIN_DAYS } : {},
    );
    return {
      status: 'planned',
      kind,
      scale: toScore.length >= DISTRIBUTED_FROM ? 'distributed' : 'inline',
      rows: lookup === true ? 'published' : 'none',
      plan: digest,
      release,
      epoch: pointer.epoch,
      ...about,
      partitions: toScore.length,
      waiting: waiting.length,
      days: plan.partitions.length + waiting.length,
      dailyBatches: work.dailyBatches,
      featureBatches: work.featureBatches,
      scoreBatches,
    };
  });
}

const NO_WORK = { dailyBatches: [], featureBatches: [], scoreBatches: [] };
