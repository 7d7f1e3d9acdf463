import { z } from 'zod';
import { Digest } from '#domain/canonical/digest.ts';
import { featurePlanner, partitionsBetween } from '#domain/data/feature-plan.ts';
import { WorkBatch } from '#domain/data/feature-work.ts';
import { datasetFingerprint } from '#domain/data/merkle.ts';
import { daysBetween } from '#domain/data/partition.ts';
import { missingReasons } from '#domain/data/open-refusal.ts';
import { requestInputs, trainingInputs, TrainingInputs } from '#domain/data/training-inputs.ts';
import { TrainingPlan } from '#domain/data/training-plan.ts';
import { planWindows as plan } from '#domain/data/windows.ts';
import { type DeployedModels, deployedModel } from '#domain/model/deployed.ts';
import { Day, ModelDefinition } from '#domain/model/definition.ts';
import { writeDocument, writeText } from '#ports/documents.ts';
import type { ArtifactStore } from '#ports/artifact-store.ts';
import type { Ledger } from '#ports/ledger.ts';
import { readCatalogue } from '#read-model/partitions.ts';
import { readOpenRefusals } from '#read-model/refusals.ts';
import { type FeaturePlanning, planFeatureWork } from '#use-cases/data/plan-feature-work.ts';
import { operationName } from '#use-cases/audit/record-change.ts';
import { contract, type Said, type Task } from '#use-cases/task.ts';

export interface WindowPlanning extends FeaturePlanning {
  readonly ledger: Ledger;
  readonly releases: ArtifactStore;
  readonly deployed: DeployedModels;
}

export const PlanWindows = contract({
  input: z.object({ model: z.string(), run: z.string(), asOf: Day }),
  output: z.discriminatedUnion('status', [
    z.object({
      status: z.literal('planned'),
      /** What is validated before training: the plan of the window with the most days, and all days of the run. */
      check: z.object({ plan: Digest, from: Day, to: Day }),
      dailyBatches: z.array(WorkBatch),
      featureBatches: z.array(WorkBatch),
      windows: z.array(z.object({ window: z.string(), plan: Digest, job: z.string() })).min(1),
      /** The windows that the history cannot fill yet. */
      skipped: z.array(z.string()),
    }),
    z.object({
      status: z.literal('refused'),
      reasons: z.array(z.string()),
      dailyBatches: z.array(z.never()),
      featureBatches: z.array(z.never()),
      windows: z.array(z.never()),
    }),
  ]),
});

/** Pins the windows of a run: days, partitions, SQL and definition by digest. A gap in the data is a refusal, never a guess. */
export function planWindows(deps: WindowPlanning): Task {
  return PlanWindows.task(async ({ model, run, asOf }) => {
    const { definition, sql } = deployedModel(deps.deployed, model);
    const digest = await writeDocument(deps.releases, ModelDefinition, definition);
    for (const text of Object.values(sql)) await writeText(deps.releases, text);
    const catalogue = await readCatalogue(deps.ledger, model);
    const days = catalogue
      .filter(({ kind }) => kind === 'events')
      .map(({ day }) => day)
      .toSorted();
    const [first, last] = [days[0], days.at(-1)];
    if (first === undefined || last === undefined) return refused(['no partitions are admitted']);
    const windows = plan(definition, asOf, { first, last });
    if (windows.kind === 'refused')
      return refused([`${windows.refusal.rule}: ${windows.refusal.found}; ${windows.refusal.remedy}`]);
    const needed = windows.windows.flatMap(({ events }) => daysBetween(events.first, events.last));
    const work = await planFeatureWork(deps, model, catalogue, [{ source: { definition, digest }, days: needed }]);
    const features = work.features.get(digest) ?? [];
    const planned = windows.windows.map((window) => ({
      window,
      labels: partitionsBetween(catalogue, 'labels', window.labels),
    }));
    const missing = [...work.missing, ...planned.flatMap(({ labels }) => labels.missing)];
    if (missing.length > 0)
      return refused(missingReasons(missing, await readOpenRefusals(deps.ledger, model)).slice(0, 10));
    const plans = [];
    const featuresOf = featurePlanner(definition, deps.engine, catalogue);
    for (const { window, labels } of planned) {
      // Windows share days, and what they share is planned in the order of the first that needs it; a plan has them by day.
      const own = features
        .filter(({ day }) => day >= window.events.first && day <= window.events.last)
        .toSorted((a, b) => (a.day < b.day ? -1 : 1));
      const made = own.map(({ day }) => featuresOf(day));
      const inputs = trainingInputs(model, made, labels.partitions);
      const stored = await writeDocument(deps.documents, TrainingPlan, {
        formatVersion: 1,
        model,
        run,
        asOf,
        definition: digest,
        commit: deps.deployed.commit,
        window: { name: window.name, from: window.events.first, to: window.events.last },
        labelsUntil: window.labels.last,
        fingerprint: datasetFingerprint(own),
        inputs: await writeDocument(deps.releases, TrainingInputs, inputs),
        labels: labels.partitions,
        features: own,
        ...(definition.online === undefined ? {} : { requests: requestInputs(made) }),
      });
      plans.push({ window, plan: stored });
    }
    // What is looked at before anything is learned: the rows of the window that has them all, and every day of the run.
    const longest = plans.reduce((a, b) => (b.window.events.first < a.window.events.first ? b : a));
    return {
      status: 'planned',
      check: { plan: longest.plan, from: longest.window.events.first, to: windows.test.events.last },
      dailyBatches: work.dailyBatches,
      featureBatches: work.featureBatches,
      windows: plans.map(({ window, plan: of }) => ({
        window: window.name,
        plan: of,
        job: jobName(model, window.name, run),
      })),
      skipped: windows.skipped.map(({ name }) => name),
    };
  });
}

/** SageMaker's job names have at most 63 characters; the same window of the same run has the same name. */
function jobName(model: string, window: string, run: string): string {
  return `${model.slice(0, 24)}-${operationName(window.replaceAll(/[^a-zA-Z0-9]/g, ''), run).slice(0, 36)}`;
}

function refused(reasons: readonly string[]): Said<z.output<typeof PlanWindows.output>> {
  return { status: 'refused', reasons, dailyBatches: [], featureBatches: [], windows: [] };
}
