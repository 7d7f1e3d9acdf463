import { basename, join } from 'node:path';
import { z } from 'zod';
import { Digest } from '#domain/canonical/digest.ts';
import { LabelJoins, withWorstDay } from '#domain/data/label-joins.ts';
import { TrainingPlan } from '#domain/data/training-plan.ts';
import { refusalText } from '#domain/refusal/refusal.ts';
import { ModelDefinition } from '#domain/model/definition.ts';
import { readDocument } from '#ports/documents.ts';
import type { TrainingData } from '#ports/training-jobs.ts';
import type { Building } from '#use-cases/data/build-partitions.ts';
import { fetchPartitions, whyNotHad, withFolder } from '#use-cases/data/local-files.ts';
import { contract, type Task } from '#use-cases/task.ts';

export const ExportTrainingRows = contract({
  input: z.object({ plan: Digest }),
  output: z.discriminatedUnion('status', [
    z.object({
      status: z.literal('exported'),
      rows: z.int(),
      positives: z.int(),
      /** What the join of events and labels lost; of its days the worst alone. */
      joins: LabelJoins,
    }),
    z.object({ status: z.literal('refused'), reason: z.string() }),
  ]),
});

/** Where a window's rows are, and all that its training job can read. */
export function rowsPrefix(run: string, window: string): string {
  return `runs/${run}/${window}/train/`;
}

/** Joins a window's features with the labels that had arrived, and writes them, a file per day, where the trainer, and nobody else, reads. */
export function exportTrainingRows(deps: Building & { readonly training: TrainingData }): Task {
  return ExportTrainingRows.task(async ({ plan: digest }) => {
    const plan = await readDocument(deps.documents, TrainingPlan, digest);
    const definition = await readDocument(deps.releases, ModelDefinition, plan.definition);
    return withFolder(async (folder) => {
      try {
        const result = await deps.engine.exportTrainingRows({
          features: await Promise.all(
            plan.features.map(async ({ day, digest: of }) => ({
              day,
              file: await deps.lake.fetch('features', plan.model, of, folder),
            })),
          ),
          labels: await fetchPartitions(deps.lake, plan.labels, folder),
          definition,
          out: join(folder, 'train'),
        });
        if (result.kind === 'refused') return refused(refusalText(result.refusal));
        for (const file of result.files)
          await deps.training.storeRows(`${rowsPrefix(plan.run, plan.window.name)}${basename(file)}`, file);
        const joins = withWorstDay(result.joins);
        return { status: 'exported', rows: result.rows, positives: result.positives, joins };
      } catch (error) {
        // A feature partition that was refused was not built: the window cannot be trained.
        const reason = whyNotHad(error);
        if (reason === undefined) throw error;
        return refused(reason);
      }
    });
  });
}

function refused(reason: string): z.output<typeof ExportTrainingRows.output> {
  return { status: 'refused', reason: reason.slice(0, 500) };
}
