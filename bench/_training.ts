// A real model for the benches: the reference model's own training program on some of its own rows.
import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportTrainingRows } from '#adapters/duckdb/training-rows.ts';
import { addDays } from '#domain/data/partition.ts';
import { trainingHyperparameters } from '#domain/model/training.ts';
import type { Flights } from './_flights.ts';

const ROOT = join(import.meta.dirname, '..');

/** Trains on some feature partitions, and gives the ONNX bytes. */
export async function trainOn({ definition, landed }: Flights, features: readonly Uint8Array[]): Promise<Uint8Array> {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-bench-'));
  try {
    const [train, model, output] = ['train', 'model', 'output'].map((name) => join(folder, name));
    if (train === undefined || model === undefined || output === undefined) throw new Error('three folders');
    await Promise.all([train, model, output].map((path) => mkdir(path)));
    const files = await Promise.all(
      features.map(async (content, index) => {
        const file = join(folder, `features-${index}.parquet`);
        await writeFile(file, content);
        // Which days they are is no matter here: their order is.
        return { day: addDays('2001-01-01', index), file };
      }),
    );
    const labels = landed.filter(({ kind }) => kind === 'labels').map(({ day, file }) => ({ day, file }));
    const exported = await exportTrainingRows({
      features: files,
      labels,
      definition,
      out: train,
    });
    if (exported.kind === 'refused') throw new Error(exported.refusal.found);
    const [command = '', ...args] = definition.training.local;
    const bin = join(ROOT, '.venv/bin');
    const env = {
      PATH: bin,
      SM_CHANNEL_TRAIN: train,
      SM_MODEL_DIR: model,
      SM_OUTPUT_DIR: output,
      SM_HPS: JSON.stringify(trainingHyperparameters(definition)),
    };
    const cwd = join(ROOT, 'models', definition.name);
    const ended = spawnSync(join(bin, command), args, { cwd, env, encoding: 'utf8' });
    if (ended.status !== 0)
      throw new Error(`training ended with ${String(ended.status)}: ${ended.stderr.slice(-2000)}`);
    return await readFile(join(model, 'model.onnx'));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
