import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { publishRows, type RowPublication } from '#use-cases/inference/publish-rows.ts';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { digestOf, parseCanonical } from '#domain/canonical/digest.ts';
import { ScoreWork, WorkBatch } from '#domain/data/feature-work.ts';
import { withoutKey } from '#domain/ledger/item.ts';
import { keys } from '#domain/ledger/keys.ts';
import { Fence, PredictionManifest } from '#domain/prediction/manifest.ts';
import { execute, type Execution, TaskError } from '#local/statemachines/interpreter.ts';
import { recordRunFailure } from '#use-cases/runs/record-run-failure.ts';
import { planReconciliation } from '#use-cases/inference/plan-reconciliation.ts';
import { publishPredictions } from '#use-cases/inference/publish-predictions.ts';
import { reportRun } from '#use-cases/inference/report-run.ts';
import { scorePartitions } from '#use-cases/inference/score-partitions.ts';
import type { Task } from '#use-cases/task.ts';
import { scene } from './_scene.ts';
import { type Environment, MODEL } from './_environments.ts';

export let here: Awaited<ReturnType<typeof scene>>;
export let prod: Environment;
/** Prod with a baseline that is served. */
export async function begin(): Promise<void> {
  here = await scene();
  ({ prod } = here);
  await here.begin();
}

export async function build(
  { lake, documents }: Environment,
  { work, from, to }: WorkBatch,
  text = 'features',
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-test-'));
  const { items } = parseCanonical(ScoreWork, await documents.read(work), 'score work');
  for (const { day, features: digest } of items.slice(from, to)) {
    const content = `${text} of ${day}`;
    const path = join(folder, `${day}.parquet`);
    await writeFile(path, content);
    await lake.store('features', MODEL, digest, { path, sha256: digestOf(content), rows: 10 });
  }
  await rm(folder, { recursive: true });
}

/** Runs a batch by its machine; features are built by a stand-in just before they are scored. */
export function batch(
  run: string,
  around: {
    readonly before?: (state: string) => Promise<void>;
    readonly text?: string;
    /** Where rows are published for look-up, as for a model that asks for it, and the rows of each partition. */
    readonly lookup?: Pick<RowPublication, 'rows' | 'readRows'>;
  } = {},
): Promise<Execution> {
  const report = reportRun(prod);
  const score = scorePartitions(prod);
  const tasks: Record<string, Task> = {
    'Plan reconciliation': async (parameters) => {
      const planned = await planReconciliation(prod)(parameters);
      return around.lookup === undefined ? planned : { ...planned, rows: 'published' };
    },
    'Build daily partition': async () => ({ status: 'built', refused: null }),
    'Build feature partition': async () => ({ status: 'built', refused: null }),
    'Score partition': async (parameters) => {
      await build(prod, WorkBatch.parse(parameters), around.text);
      return score(parameters);
    },
    ...(around.lookup === undefined ? {} : { 'Publish rows': publishRows({ ...prod, ...around.lookup }) }),
    'Publish predictions': publishPredictions(prod),
    'Report run': report,
    'Report idle run': report,
    'Record failure': recordRunFailure(prod),
  };
  return execute('batch-inference', { model: MODEL, run, trigger: 'schedule' }, async ({ state, payload }) => {
    await around.before?.(state);
    try {
      return JSON.parse(JSON.stringify(await tasks[state]?.(payload['input']))) as unknown;
    } catch (error) {
      throw new TaskError('Runtime.HandlerError', String(error));
    }
  });
}

export const manifests = async (): Promise<PredictionManifest[]> =>
  (await prod.ledger.query(keys.predictions(MODEL))).map((item) => withoutKey(PredictionManifest, item));
export const fence = async (): Promise<Fence> =>
  withoutKey(Fence, (await prod.ledger.get(keys.fence(MODEL))) ?? { pk: '', sk: '' });
export const lastRecord = async () => (await prod.chain()).at(-1);
