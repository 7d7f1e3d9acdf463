import { spawn } from 'node:child_process';
import { cp, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { GatehouseError } from '#domain/error.ts';
import type { ModelDefinition } from '#domain/model/definition.ts';
import { trainingHyperparameters } from '#domain/model/training.ts';
import { TRAINER_PREDICTIONS } from '#domain/model/trainer-predictions.ts';
import { trainingMetrics } from '#domain/model/training-metrics.ts';
import { layoutOf } from '../sagemaker/container.ts';

const REPOSITORY = join(import.meta.dirname, '..', '..');

/** What a Python program of this project is started with: nothing of the user's own. */
export const PYTHON_ENVIRONMENT = {
  PATH: [join(REPOSITORY, '.venv', 'bin'), dirname(process.execPath), '/usr/local/bin', '/usr/bin', '/bin'].join(
    delimiter,
  ),
  LANG: 'C.UTF-8',
  TZ: 'UTC',
  PYTHONUNBUFFERED: '1',
  PYTHONDONTWRITEBYTECODE: '1',
};

/** How much of what a program printed last is kept with its failure: a traceback and its message. */
const TRACEBACK_LINES = 20;

/** What a training program left. */
export interface Trained {
  readonly model: string;
  readonly metrics: Readonly<Record<string, number>>;
  /** The file of its own predictions, if it left one. */
  readonly predictions: string | undefined;
  /** What it said went wrong; undefined when it ended well. */
  readonly failure: string | undefined;
}

/**
 * Runs a model's training command as SageMaker would run its container: the same folders and variables, nothing of the user's
 * own. `threads` is what OpenMP may use; without it the program takes all cores, and two at once get in each other's way.
 */
export async function runTraining(
  definition: ModelDefinition,
  folder: string,
  rows: string,
  root: string,
  onLine: (line: string) => void,
  threads?: number,
): Promise<Trained> {
  await rm(root, { recursive: true, force: true });
  const layout = layoutOf(root);
  const config = join(layout.ml, 'input', 'config');
  for (const path of [layout.model, layout.outputData, config, join(root, 'tmp')])
    await mkdir(path, { recursive: true });
  await cp(rows, layout.channel('train'), { recursive: true });
  const hyperparameters = trainingHyperparameters(definition);
  await writeFile(join(config, 'hyperparameters.json'), JSON.stringify(hyperparameters));
  const printed: string[] = [];
  const code = await runCommand(
    definition.training.local,
    folder,
    {
      ...PYTHON_ENVIRONMENT,
      HOME: root,
      TMPDIR: join(root, 'tmp'),
      SM_ROOT: root,
      SM_MODEL_DIR: layout.model,
      SM_OUTPUT_DIR: join(layout.ml, 'output'),
      SM_OUTPUT_DATA_DIR: layout.outputData,
      SM_CHANNELS: '["train"]',
      SM_CHANNEL_TRAIN: layout.channel('train'),
      SM_HPS: JSON.stringify(hyperparameters),
      ...(threads === undefined ? {} : { OMP_NUM_THREADS: String(threads) }),
    },
    (line) => {
      printed.push(line);
      onLine(line);
    },
  );
  const said = await readFile(layout.failure, 'utf8').catch(() => undefined);
  const model = join(layout.model, 'model.onnx');
  const predictions = join(layout.model, TRAINER_PREDICTIONS);
  const failure =
    code !== 0
      ? (said ?? [`the program ended with code ${code}`, ...printed.slice(-TRACEBACK_LINES)].join('\n'))
      : (await isThere(model))
        ? undefined
        : 'the program left no model.onnx';
  const metrics = await readFile(join(layout.model, 'metrics.json')).catch(() => undefined);
  return {
    model,
    failure,
    metrics: trainingMetrics(metrics),
    predictions: (await isThere(predictions)) ? predictions : undefined,
  };
}

const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

/** Runs a command, line by line of what it prints, and answers its exit code. @throws GatehouseError `NO_PROGRAM` */
export function runCommand(
  command: readonly string[],
  cwd: string,
  env: Record<string, string>,
  onLine: (line: string) => void,
): Promise<number> {
  const [program = 'false', ...args] = command;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on('line', onLine);
    child.on('error', (cause) =>
      reject(
        new GatehouseError(
          'NO_PROGRAM',
          `${command.join(' ')} cannot be started: ${cause.message}`,
          { command },
          cause,
        ),
      ),
    );
    child.on('close', (code) => resolve(code ?? 1));
  });
}
