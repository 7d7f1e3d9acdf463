import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { canonicalJson, Digest, digestOfJson } from '#domain/canonical/digest.ts';
import { LabelJoins } from '#domain/data/label-joins.ts';
import { TrainingPlan, trainingRowsFile } from '#domain/data/training-plan.ts';
import { BuiltBatch, causesIn } from '#domain/data/build-refusals.ts';
import { GatehouseError } from '#domain/error.ts';
import { refusalText } from '#domain/refusal/refusal.ts';
import { ModelDefinition } from '#domain/model/definition.ts';
import { judgeTrainerPredictions, TRAINER_PREDICTIONS, TrainerAgreement } from '#domain/model/trainer-predictions.ts';
import { trainingMetrics } from '#domain/model/training-metrics.ts';
import { recipeOf, RELEASE_FILES, type ReleaseManifest, schemaOf, sealManifest } from '#domain/release/manifest.ts';
import { readDocument } from '#ports/documents.ts';
import type { ArtifactStore } from '#ports/artifact-store.ts';
import type { TrainingData } from '#ports/training-jobs.ts';
import { withFolder } from '#use-cases/data/local-files.ts';
import { contract, type Task } from '#use-cases/task.ts';
import { goldenRequestOf, type GoldenPackaging } from './make-golden-request.ts';
import { ExportTrainingRows, rowsPrefix } from './export-training-rows.ts';
import { TrainWindow } from './train-window.ts';

export interface Packaging extends GoldenPackaging {
  readonly documents: ArtifactStore;
  readonly releases: ArtifactStore;
  readonly training: TrainingData;
}

/** What became of a window's training. */
const TrainedWindow = z.object({
  window: z.string(),
  plan: Digest,
  export: ExportTrainingRows.output,
  /** Absent where no rows could be exported. */
  training: TrainWindow.answer.exactOptional(),
});
type TrainedWindow = z.output<typeof TrainedWindow>;

/** A release that a window gave. */
export const Candidate = z.object({
  release: Digest,
  window: z.string(),
  fingerprint: Digest,
  metrics: z.record(z.string(), z.number()),
  /** Null where the trainer left no predictions of its own. */
  agreement: TrainerAgreement.nullable(),
  joins: LabelJoins,
});

/** The constant base-rate release of a run. */
export const Baseline = z.object({ release: Digest, baseRate: z.number(), window: z.string() });

const Packaged = {
  /** Null where the rows have one class, or no release could be made of them. */
  baseline: Baseline.nullable(),
  /** Why windows are no candidates. */
  reasons: z.array(z.string()),
};

export const PackageCandidates = contract({
  input: z.object({
    windows: z.array(TrainedWindow).min(1),
    daily: z.array(BuiltBatch).default([]),
    features: z.array(BuiltBatch).default([]),
  }),
  output: z.discriminatedUnion('status', [
    z.object({ status: z.literal('packaged'), candidates: z.array(Candidate).min(1), ...Packaged }),
    z.object({ status: z.literal('nothing'), candidates: z.array(z.never()), ...Packaged }),
  ]),
});

/** Makes releases of what was trained, and the model's constant baseline; what is no model of the schema is refused with the reason. */
export function packageCandidates(deps: Packaging): Task {
  return PackageCandidates.task(async ({ windows, daily, features }) => {
    const candidates: z.output<typeof Candidate>[] = [];
    const reasons = causesIn([...daily, ...features]);
    const made = await storing(() => packageBaseline(deps, windows));
    if (made.kind === 'refused') reasons.push(`baseline: ${made.reason}`.slice(0, 500));
    for (const window of windows) {
      const { export: exported, training } = window;
      if (exported.status === 'refused') {
        reasons.push(`${window.window}: ${exported.reason}`.slice(0, 1000));
        continue;
      }
      if (training?.status !== 'trained') {
        reasons.push(`${window.window}: ${training?.reason ?? 'was not trained'}`.slice(0, 1000));
        continue;
      }
      const artifact = await deps.training.readArtifact(training.artifact);
      if (artifact.kind === 'refused') {
        reasons.push(`${window.window}: ${refusalText(artifact.refusal)}`.slice(0, 500));
        continue;
      }
      const left = artifact.files.get('model.onnx');
      const onnx = left === undefined ? undefined : deps.scoring.unwrapped(left);
      const { plan, definition } = await readPlan(deps, window.plan);
      const problem = onnx?.length
        ? deps.scoring.inspect(onnx, definition.features.columns)
        : `the job left ${onnx === undefined ? 'no' : 'an empty'} model.onnx`;
      if (onnx === undefined || problem !== undefined) {
        reasons.push(`${window.window}: ${problem}`.slice(0, 500));
        continue;
      }
      const agreed = await agreementOf(deps, plan, definition, onnx, artifact.files.get(TRAINER_PREDICTIONS));
      if (agreed?.kind === 'refused') {
        reasons.push(`${window.window}: ${refusalText(agreed.refusal)}`.slice(0, 500));
        continue;
      }
      const stored = await storing(() => storeRelease(deps, plan, definition, onnx, 'trained'));
      if (stored.kind === 'refused') {
        reasons.push(`${window.window}: ${stored.reason}`.slice(0, 500));
        continue;
      }
      candidates.push({
        release: stored.value,
        window: window.window,
        fingerprint: plan.fingerprint,
        metrics: { ...trainingMetrics(artifact.files.get('metrics.json')) },
        agreement: agreed?.agreement ?? null,
        joins: exported.joins,
      });
    }
    const baseline = made.kind === 'stored' ? made.value : null;
    return candidates.length > 0
      ? { status: 'packaged', candidates, baseline, reasons }
      : { status: 'nothing', candidates: [], baseline, reasons };
  });
}

/** How near an ONNX file is to what its trainer predicted; undefined where the trainer left no predictions. */
async function agreementOf(
  deps: Packaging,
  plan: TrainingPlan,
  definition: ModelDefinition,
  onnx: Uint8Array,
  left: Uint8Array | undefined,
): Promise<ReturnType<typeof judgeTrainerPredictions> | undefined> {
  if (left === undefined) return undefined;
  return withFolder(async (folder) => {
    const predictions = join(folder, TRAINER_PREDICTIONS);
    await writeFile(predictions, left);
    const again = await deps.scoring.predictAgain(onnx, definition, {
      predictions,
      async rowsOf(day) {
        // What the trainer wrote names no key: only the days of the plan have rows.
        if (plan.features.every((each) => each.day !== day)) return undefined;
        const file = trainingRowsFile(day);
        const path = join(folder, file);
        return (await deps.training.fetch(`${rowsPrefix(plan.run, plan.window.name)}${file}`, path)) ? path : undefined;
      },
    });
    return again.kind === 'refused' ? again : judgeTrainerPredictions(again.rows);
  });
}

/** A release of a model whose golden predictions can be made; one that gives no numbers, or has no rows to give them for, never becomes one. */
async function storing<T>(
  store: () => Promise<T>,
): Promise<{ readonly kind: 'stored'; readonly value: T } | { readonly kind: 'refused'; readonly reason: string }> {
  try {
    return { kind: 'stored', value: await store() };
  } catch (error) {
    if (!(error instanceof GatehouseError) || error.code !== 'NOT_SCORABLE') throw error;
    return { kind: 'refused', reason: error.message };
  }
}

/** The constant base-rate release of the window with the most rows: something to beat, and something to go back to. */
async function packageBaseline(
  deps: Packaging,
  windows: readonly TrainedWindow[],
): Promise<z.output<typeof Baseline> | null> {
  const exported = windows.flatMap(({ window, plan, export: of }) =>
    of.status === 'exported' ? [{ window, plan, rows: of.rows, positives: of.positives }] : [],
  );
  const [largest] = exported.toSorted((a, b) => b.rows - a.rows);
  if (largest === undefined || largest.positives === 0 || largest.positives === largest.rows) return null;
  const { plan, definition } = await readPlan(deps, largest.plan);
  const baseRate = largest.positives / largest.rows;
  const release = await storeRelease(
    deps,
    plan,
    definition,
    deps.scoring.constantModel(baseRate, definition.features.columns),
    'baseline',
  );
  return { release, baseRate, window: largest.window };
}

async function readPlan(deps: Packaging, digest: Digest): Promise<{ plan: TrainingPlan; definition: ModelDefinition }> {
  const plan = await readDocument(deps.documents, TrainingPlan, digest);
  return {
    plan,
    definition: await readDocument(deps.releases, ModelDefinition, plan.definition),
  };
}

/** Golden rows and the golden request are of the newest day that has any features. */
async function goldenDay(deps: Packaging, plan: TrainingPlan): Promise<TrainingPlan['features'][number]> {
  for (const each of plan.features.toReversed()) {
    const built = await deps.lake.find('features', plan.model, each.digest);
    if (built !== undefined && built.rows > 0) return each;
  }
  throw new GatehouseError(
    'NOT_SCORABLE',
    `there are rows for golden predictions: no day from ${plan.window.from} to ${plan.window.to} has a row of features; look at what the events of these days hold`,
    { model: plan.model },
  );
}

async function storeRelease(
  deps: Packaging,
  plan: TrainingPlan,
  definition: ModelDefinition,
  onnx: Uint8Array,
  kind: ReleaseManifest['kind'],
): Promise<Digest> {
  const { day, digest: features } = await goldenDay(deps, plan);
  const golden = await withFolder(async (folder) =>
    deps.scoring.makeGolden(onnx, definition, await deps.lake.fetch('features', plan.model, features, folder)),
  );
  const schema = schemaOf(definition);
  const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
  const contents: Record<(typeof RELEASE_FILES)[number], Uint8Array> = {
    'definition.json': encode(canonicalJson(definition)),
    'features/daily.sql': await deps.releases.read(definition.features.daily.sha256),
    'features/features.sql': await deps.releases.read(definition.features.features.sha256),
    'golden.json': encode(golden),
    'model.onnx': onnx,
    'schema.json': encode(canonicalJson(schema)),
  };
  const own = RELEASE_FILES.map((path) => ({ path, content: contents[path] }));
  const files = [];
  for (const { path, content } of [...own, ...(await goldenRequestOf(deps, plan, definition, onnx, day))]) {
    const { digest } = await deps.releases.write(content);
    files.push({ path, sha256: digest, size: content.length });
  }
  const { image, hyperparameters, seed, code } = definition.training;
  const sealed = sealManifest({
    formatVersion: 1,
    model: plan.model,
    kind,
    files,
    data: {
      asOf: plan.asOf,
      window: plan.window,
      fingerprint: plan.fingerprint,
      partitions: plan.features.length,
      ...(plan.inputs === undefined ? {} : { inputs: plan.inputs }),
      labelsUntil: plan.labelsUntil,
    },
    training: { image, hyperparameters, seed, code },
    recipe: recipeOf(definition),
    code: { commit: plan.commit },
    schemas: { input: digestOfJson(schema.input), output: digestOfJson(schema.output) },
  });
  await deps.releases.write(sealed.bytes);
  return sealed.release;
}
