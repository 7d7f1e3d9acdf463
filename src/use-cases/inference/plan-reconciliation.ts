import { z } from 'zod';
import { canonicalJson, type Digest } from '#domain/canonical/digest.ts';
import { predictionDigest, ranges, type ScoreBatch } from '#domain/data/feature-work.ts';
import { daysToReconcile, planReconciliation as plan } from '#domain/data/reconciliation.ts';
import { unkey } from '#domain/ledger/item.ts';
import { keys } from '#domain/ledger/keys.ts';
import { BatchPlan, PredictionManifest } from '#domain/prediction/manifest.ts';
import { openManifest } from '#domain/release/manifest.ts';
import type { ArtifactStore } from '#ports/artifact-store.ts';
import type { Clock } from '#ports/clock.ts';
import type { Ledger } from '#ports/ledger.ts';
import { definitionOf, readCatalogue } from '#use-cases/data/catalogue.ts';
import { type FeaturePlanning, planFeatureWork } from '#use-cases/data/plan-feature-work.ts';
import { readPointer } from '#use-cases/promotion/ledger-state.ts';
import { type Task, task } from '#use-cases/task.ts';
import { changeFence } from './fence.ts';

export interface ReconciliationPlanning extends FeaturePlanning {
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly releases: ArtifactStore;
  readonly scorer: Digest;
}

/** Feature partitions per scoring call. */
const BATCH = 24;

/** Compares what the store of predictions should hold with what it holds; takes the fence, so that older runs publish nothing more. */
export function planReconciliation(deps: ReconciliationPlanning): Task {
  return task(z.object({ model: z.string(), run: z.string() }), async ({ model, run }) => {
    const pointer = await readPointer(deps.ledger, model);
    const startedAt = deps.clock.now().toISOString();
    const fence = await changeFence(deps.ledger, model, (before) => ({
      ...before,
      fence: before.fence + 1,
      running: run,
      startedAt,
    }));
    if (pointer === undefined)
      return {
        status: 'nothing-served',
        kind: 'none',
        requested: fence.requested,
        dailyBatches: [],
        featureBatches: [],
        scoreBatches: [],
      };
    const release = pointer.current;
    const source = await definitionOf(deps.releases, release);
    const schema = openManifest(await deps.releases.read(release)).schemas.output;
    const catalogue = await readCatalogue(deps.ledger, model);
    const actual = (await deps.ledger.query(keys.predictions(model))).map((item) => unkey(PredictionManifest, item));
    const withdrawn = [...new Set(actual.map((manifest) => manifest.release))].filter((digest) => digest !== release);
    const events = catalogue.filter((partition) => partition.kind === 'events').map((partition) => partition.day);
    const days = daysToReconcile(events, source.definition.predictions.days, actual, withdrawn);
    const work = await planFeatureWork(deps, model, catalogue, [{ source, days }]);
    const features = work.features.get(source.digest) ?? [];
    const rowsOf = new Map(actual.map((manifest) => [manifest.day, manifest.rows]));
    const wanted = features.map(({ day, digest }) => ({
      day,
      features: digest,
      release,
      scorer: deps.scorer,
      schema,
      rows: rowsOf.get(day) ?? 0,
    }));
    const reconciliation = plan(wanted, actual);
    const toScore = reconciliation.partitions.filter(({ action }) => action === 'score');
    const featureOf = new Map(features.map(({ day, digest }) => [day, digest]));
    const partitions = toScore.flatMap(({ day, reasons }) => {
      const digest = featureOf.get(day);
      return digest === undefined
        ? []
        : [
            {
              day,
              features: digest,
              predictions: predictionDigest(digest, release, deps.scorer),
              reasons: [...reasons],
            },
          ];
    });
    const document = BatchPlan.parse({
      formatVersion: 1,
      model,
      run,
      kind: reconciliation.kind,
      release,
      scorer: deps.scorer,
      schema,
      epoch: pointer.epoch,
      fence: fence.fence,
      requested: fence.requested,
      partitions,
      waiting: work.missing.map(({ kind, day }) => `${kind} of ${day}`),
    });
    const { digest } = await deps.documents.write(new TextEncoder().encode(canonicalJson(document)));
    const scoreBatches = ranges(partitions.length, BATCH).map(({ from, to }): ScoreBatch => ({
      model,
      release,
      features: partitions.slice(from, to).map((partition) => ({ day: partition.day, digest: partition.features })),
    }));
    return {
      status: 'planned',
      kind: reconciliation.kind,
      plan: digest,
      release,
      epoch: pointer.epoch,
      requested: fence.requested,
      partitions: partitions.length,
      waiting: work.missing.length,
      dailyBatches: work.dailyBatches,
      featureBatches: work.featureBatches,
      scoreBatches,
    };
  });
}
