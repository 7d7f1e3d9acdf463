import { z } from 'zod';
import { Digest } from '#domain/canonical/digest.ts';
import { TrainingPlan } from '#domain/data/training-plan.ts';
import { ModelDefinition } from '#domain/model/definition.ts';
import { trainingHyperparameters } from '#domain/model/training.ts';
import { readDocument } from '#ports/documents.ts';
import type { ArtifactStore } from '#ports/artifact-store.ts';
import type { TrainingJobs } from '#ports/training-jobs.ts';
import { contract, type Task } from '#use-cases/task.ts';
import { rowsPrefix } from './export-training-rows.ts';
import { TrainingOutcome } from './return-job-token.ts';
import { JobAnswer, startJob, type StartingJobs } from './start-job.ts';

export const TrainWindow = contract({
  input: z.object({ plan: Digest, job: z.string(), token: z.string() }),
  output: JobAnswer,
  answer: TrainingOutcome,
});

export interface Training extends StartingJobs {
  readonly documents: ArtifactStore;
  readonly releases: ArtifactStore;
  readonly jobs: TrainingJobs;
}

/** Starts the training job of a window, for whose end the execution waits. */
export function trainWindow(deps: Training): Task {
  return TrainWindow.task(async ({ plan: digest, job, token }) => {
    const plan = await readDocument(deps.documents, TrainingPlan, digest);
    const definition = await readDocument(deps.releases, ModelDefinition, plan.definition);
    return startJob(deps, 'training', { job, token, model: plan.model, run: plan.run }, () =>
      deps.jobs.start({
        name: job,
        image: definition.training.image,
        input: rowsPrefix(plan.run, plan.window.name),
        output: `runs/${plan.run}/${plan.window.name}/output/`,
        hyperparameters: trainingHyperparameters(definition),
        instanceType: definition.training.instanceType,
        maxRuntimeSeconds: definition.training.maxRuntimeSeconds,
      }),
    );
  });
}
