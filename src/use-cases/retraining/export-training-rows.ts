import { join } from 'node:path';
import { z } from 'zod';
import { Digest, parseCanonical } from '#domain/canonical/digest.ts';
import { TrainingPlan } from '#domain/data/training-plan.ts';
import { GatehouseError } from '#domain/error.ts';
import { ModelDefinition } from '#domain/model/definition.ts';
import type { TrainingData } from '#ports/training-jobs.ts';
import type { Building } from '#use-cases/data/build-partitions.ts';
import { fetchPartitions, withFolder } from '#use-cases/data/local-files.ts';
import { type Task, task } from '#use-cases/task.ts';

/** Where a window's rows are, and all that its training job can read. */
export function rowsPrefix(run: string, window: string): string {
  return `runs/${run}/${window}/train/`;
}

/** Joins a window's features with the labels that had arrived, and writes them where the trainer, and nobody else, reads. */
export function exportTrainingRows(deps: Building & { readonly training: TrainingData }): Task {
  return task(z.object({ plan: Digest }), async ({ plan: digest }) => {
    const plan = parseCanonical(TrainingPlan, await deps.documents.read(digest), 'training plan');
    const definition = parseCanonical(ModelDefinition, await deps.releases.read(plan.definition), 'definition.json');
    return withFolder(async (folder) => {
      try {
        const out = join(folder, 'train.parquet');
        const result = await deps.engine.exportTrainingRows({
          features: await Promise.all(
            plan.features.map((part) => deps.lake.fetch('features', plan.model, part.digest, folder)),
          ),
          labels: await fetchPartitions(deps.lake, plan.labels, folder),
          definition,
          out,
        });
        if (result.kind === 'refused') return refused(`${result.refusal.rule}: ${result.refusal.found}`);
        await deps.training.storeRows(`${rowsPrefix(plan.run, plan.window.name)}train.parquet`, out);
        return { status: 'exported', rows: result.rows, positives: result.positives };
      } catch (error) {
        // A feature partition that was refused was not built: the window cannot be trained.
        if (error instanceof GatehouseError && error.code === 'ARTIFACT_MISSING') return refused(error.message);
        throw error;
      }
    });
  });
}

function refused(reason: string) {
  return { status: 'refused', reason: reason.slice(0, 500) };
}
