import { z } from 'zod';
import { Digest, parseCanonical } from '#domain/canonical/digest.ts';
import { TrainingPlan } from '#domain/data/training-plan.ts';
import { equals, textOf } from '#domain/ledger/item.ts';
import { keys } from '#domain/ledger/keys.ts';
import { ModelDefinition } from '#domain/model/definition.ts';
import { trainingHyperparameters } from '#domain/model/training.ts';
import type { ArtifactStore } from '#ports/artifact-store.ts';
import type { Ledger } from '#ports/ledger.ts';
import type { StateMachines } from '#ports/state-machines.ts';
import type { TrainingJobs } from '#ports/training-jobs.ts';
import { operationName } from '#use-cases/audit/record-change.ts';
import { type Task, task } from '#use-cases/task.ts';
import { rowsPrefix } from './export-training-rows.ts';
import { writeUnaudited } from '#use-cases/audit/write-unaudited.ts';

export interface Training {
  readonly ledger: Ledger;
  readonly documents: ArtifactStore;
  readonly releases: ArtifactStore;
  readonly jobs: TrainingJobs;
}

/** Starts the training job of a window; the execution waits until the job's state change, or the reconciler, returns the token. */
export function trainWindow(deps: Training): Task {
  return task(z.object({ plan: Digest, job: z.string(), token: z.string() }), async ({ plan: digest, job, token }) => {
    const plan = parseCanonical(TrainingPlan, await deps.documents.read(digest), 'training plan');
    const definition = parseCanonical(ModelDefinition, await deps.releases.read(plan.definition), 'definition.json');
    const item = { ...keys.task('training', job), token, model: plan.model, run: plan.run, answered: false };
    await writeUnaudited(deps.ledger, [{ kind: 'put', item }], operationName('t', token));
    await deps.jobs.start({
      name: job,
      image: definition.training.image,
      input: rowsPrefix(plan.run, plan.window.name),
      output: `runs/${plan.run}/${plan.window.name}/output/`,
      hyperparameters: trainingHyperparameters(definition),
      instanceType: definition.training.instanceType,
      maxRuntimeSeconds: definition.training.maxRuntimeSeconds,
    });
    return { status: 'started' };
  });
}

/** Tells the waiting execution how a job ended, as the job itself says now; an event is only the hint to look. */
export async function returnTrainingToken(
  deps: Pick<Training, 'ledger' | 'jobs'> & { readonly machines: StateMachines },
  job: string,
): Promise<'returned' | 'gone' | 'running' | 'unknown'> {
  const item = await deps.ledger.get(keys.task('training', job));
  if (item === undefined) return 'unknown';
  const state = await deps.jobs.describe(job);
  if (state.kind === 'running') return 'running';
  const output =
    state.kind === 'completed'
      ? { status: 'trained', artifact: state.artifact, seconds: state.seconds }
      : { status: 'failed', reason: state.reason.slice(0, 1000) };
  const answer = await deps.machines.succeed(textOf(item, 'token'), output);
  await writeUnaudited(
    deps.ledger, // Not if the machine waits with another token by now: that one has not been answered.
    [{ kind: 'put', item: { ...item, answered: true }, condition: equals({ token: textOf(item, 'token') }) }],
    operationName('a', textOf(item, 'token')),
  );
  return answer;
}
