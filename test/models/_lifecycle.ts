import { spawn } from 'node:child_process';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { measureComparison } from '#adapters/duckdb/comparison.ts';
import { engineVersion } from '#adapters/duckdb/database.ts';
import { buildDaily, buildFeatures } from '#adapters/duckdb/featurizer.ts';
import { exportTrainingRows } from '#adapters/duckdb/training-rows.ts';
import { onnxScoring } from '#adapters/onnx/scoring.ts';
import type { ComparisonMeasure } from '#domain/comparison/measure.ts';
import { Digest } from '#domain/canonical/digest.ts';
import { type CataloguePartition, featurePlanner } from '#domain/data/feature-plan.ts';
import { daysBetween } from '#domain/data/partition.ts';
import { type DayRange, type Slice, planWindows } from '#domain/data/windows.ts';
import type { ModelDefinition } from '#domain/model/definition.ts';
import { trainingHyperparameters } from '#domain/model/training.ts';
import type { LandingPartition } from '#model/replay.ts';
import { PYTHON_FOLDER } from './_programs.ts';

/** How a training program ended. */
export interface TrainingRun {
  readonly code: number | null;
  readonly stderr: string;
}

/** The container contract in `folder`: train/ in, model/ and output/ out. Makes the folders; the program's environment. */
export async function trainingEnvironment(
  folder: string,
  hyperparameters: Readonly<Record<string, string>>,
): Promise<Record<string, string>> {
  const places = {
    SM_CHANNEL_TRAIN: join(folder, 'train'),
    SM_MODEL_DIR: join(folder, 'model'),
    SM_OUTPUT_DIR: join(folder, 'output'),
  };
  await Promise.all(Object.values(places).map((path) => mkdir(path, { recursive: true })));
  return { PATH: PYTHON_FOLDER, ...places, SM_HPS: JSON.stringify(hyperparameters) };
}

/** Runs a model's training program under the container contract in `folder`. */
export async function runTraining(program: {
  model: string;
  hyperparameters: Record<string, string>;
  folder: string;
  local: readonly string[];
}): Promise<TrainingRun> {
  const { model, hyperparameters, folder, local } = program;
  const [command = '', ...args] = local;
  const child = spawn(join(PYTHON_FOLDER, command), args, {
    cwd: model,
    env: await trainingEnvironment(folder, hyperparameters),
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      resolve({ code, stderr });
    });
  });
}

/** A model from landed files to a comparison with its baseline, by the functions that the state machines call. */
export async function live(input: {
  readonly definition: ModelDefinition;
  readonly model: string;
  readonly partitions: readonly LandingPartition[];
  readonly asOf: string;
  readonly folder: string;
}): Promise<{ readonly measure: ComparisonMeasure; readonly rows: number }> {
  const { definition, model, partitions, asOf, folder } = input;
  const landed = partitions.filter((partition) => partition.day < asOf);
  const eventDays = landed
    .filter((partition) => partition.kind === 'events')
    .map((partition) => partition.day)
    .sort();
  const plan = planWindows(definition, asOf, { first: eventDays[0] ?? '', last: eventDays.at(-1) ?? '' });
  if (plan.kind === 'refused') throw new Error(plan.refusal.found);
  const window = plan.windows.at(-1);
  if (window === undefined) throw new Error('no window');
  await mkdir(folder, { recursive: true });
  const features = await buildAll(input, { first: window.events.first, last: plan.test.events.last }, landed);
  const filesOf = (range: DayRange) =>
    daysBetween(range.first, range.last).map((day) => ({ day, file: must(features.get(day)) }));
  const featuresOf = (range: DayRange): string[] => filesOf(range).map(({ file }) => file);
  const labelsOf = ({ labels }: Slice) =>
    landed.filter(({ kind, day }) => kind === 'labels' && day >= labels.first && day <= labels.last);

  const exported = await exportTrainingRows({
    features: filesOf(window.events),
    labels: labelsOf(window),
    definition,
    out: join(folder, 'train'),
  });
  if (exported.kind === 'refused') throw new Error(exported.refusal.found);
  const run = await runTraining({
    model,
    hyperparameters: trainingHyperparameters(definition),
    folder,
    local: definition.training.local,
  });
  if (run.code !== 0) throw new Error(run.stderr);

  const predict = async (name: string, onnx: Uint8Array): Promise<string[]> => {
    const problem = onnxScoring.inspect(onnx, definition.features.columns);
    if (problem !== undefined) throw new Error(problem);
    const result = await onnxScoring.withModel(onnx, definition, async (loaded) => {
      const files: string[] = [];
      for (const [index, features] of featuresOf(plan.test.events).entries()) {
        const out = join(folder, `${name}-${String(index)}.parquet`);
        const scored = await loaded.score({ features, out });
        if (scored.kind === 'refused') throw new Error(scored.refusal.found);
        files.push(out);
      }
      return files;
    });
    if (result.kind === 'refused') throw new Error(result.refusal.found);
    return result.value;
  };
  const compared = await measureComparison({
    features: featuresOf(plan.test.events),
    labels: labelsOf(plan.test),
    champion: await predict(
      'champion',
      onnxScoring.constantModel(exported.positives / exported.rows, definition.features.columns),
    ),
    candidate: await predict('candidate', await readFile(join(folder, 'model/model.onnx'))),
    definition,
  });
  if (compared.kind === 'refused') throw new Error(compared.refusal.found);
  return { measure: compared.measure, rows: exported.rows };
}

async function buildAll(
  { definition, model, folder }: { definition: ModelDefinition; model: string; folder: string },
  range: DayRange,
  landed: readonly LandingPartition[],
): Promise<Map<string, string>> {
  const files = new Map(landed.map(({ kind, day, file }) => [`${kind} ${day}`, file]));
  const catalogue = landed.map(({ kind, day, sha256 }): CataloguePartition => ({
    kind,
    day,
    version: 1,
    digest: Digest.parse(sha256),
    objects: [],
  }));
  const at = ({ kind, day }: CataloguePartition) => ({ day, file: must(files.get(`${kind} ${day}`)) });
  const [daily, features] = await Promise.all(
    [definition.features.daily, definition.features.features].map(({ path }) => readFile(join(model, path), 'utf8')),
  );
  const sql = { daily: must(daily), features: must(features) };
  const planner = featurePlanner(definition, engineVersion, catalogue);
  const plans = daysBetween(range.first, range.last).map((day) => {
    const plan = planner(day);
    if (!plan.ready) throw new Error(JSON.stringify(plan.missing));
    return plan;
  });
  const dailyFile = (day: string): string => join(folder, `daily-${day}.parquet`);
  const featuresFile = (day: string): string => join(folder, `features-${day}.parquet`);
  const aggregates = new Map(plans.flatMap((plan) => plan.daily).map((aggregate) => [aggregate.day, aggregate]));
  // A batch makes of each day the bytes that it has alone, and starts the engine once.
  const builtDaily = await buildDaily({
    sql: sql.daily,
    definition,
    items: [...aggregates.values()].map(({ day, events, labels }) => ({
      day,
      events: events.map(at),
      labels: labels === undefined ? [] : [at(labels)],
      out: dailyFile(day),
    })),
  });
  const builtFeatures = await buildFeatures({
    sql,
    definition,
    items: plans.map(({ day, events, daily: days }) => ({
      day,
      events: events.map(at),
      daily: days.map((aggregate) => ({ day: aggregate.day, file: dailyFile(aggregate.day) })),
      out: featuresFile(day),
    })),
  });
  for (const built of [...builtDaily, ...builtFeatures])
    if (built.kind === 'refused') throw new Error(built.refusal.found);
  return new Map(plans.map(({ day }) => [day, featuresFile(day)]));
}

function must<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('a file is missing');
  return value;
}
