// What the native functions weigh: their bundles, how long they take to load, and whether a warm one grows.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { unzipSync } from 'fflate';
import { onnxScoring } from '#adapters/onnx/scoring.ts';
import type { ModelDefinition } from '#domain/model/definition.ts';
import { type Figure, figure, quantile } from './_report.ts';

const ROOT = join(import.meta.dirname, '..');
/** Lambda's limit on a function's code with its layers, unzipped. Source: AWS Lambda quotas. */
const LAMBDA_MB = 250;

/** Figures of the functions' code: the size of their bundles, and how long a process takes to load them. */
export function codeFigures(privileges: readonly string[]): Figure[] {
  const out = mkdtempSync(join(tmpdir(), 'gatehouse-bundles-'));
  try {
    return Object.entries(bundle(privileges)).flatMap(([privilege, zip]) => {
      const folder = join(out, privilege);
      return [
        figure(`bundle of ${privilege}, unzipped`, 'MB', unzip(zip, folder), ['what Lambda takes', LAMBDA_MB], {
          ratioAtMost: 0.8,
        }),
        figure(`bundle of ${privilege}, zipped`, 'MB', statSync(zip).size / 1e6, ['no anchor', null], {}),
        figure(
          `cold start of ${privilege}: loading its code`,
          'ms',
          loading(folder),
          ['node that loads nothing', loading()],
          {},
        ),
      ];
    });
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}

/** The figure of scoring the same files again and again in one process. */
export async function warmFigure(
  onnx: Uint8Array,
  features: readonly string[],
  definition: ModelDefinition,
): Promise<Figure> {
  const { first, last } = await warmMemory(onnx, features, definition);
  const what = 'memory of a warm score function after 20 batches';
  return figure(what, 'MB', last, ['after its first batch', first], { ratioAtMost: 1.2 });
}

/** The zips of functions, made as synthesis makes them. */
function bundle(privileges: readonly string[]): Record<string, string> {
  const program = `
    import { bundleFunctions } from './lib/bundle.ts';
    import config from './gatehouse.config.ts';
    import { compileDeployment } from './src/model/compile-deployment.ts';
    const asset = bundleFunctions(process.cwd(), await compileDeployment(process.cwd(), config), \`\${process.platform}-\${process.arch}\`);
    console.log(JSON.stringify(Object.fromEntries(${JSON.stringify(privileges)}.map((name) => [name, asset(name)]))));`;
  const printed = execFileSync(process.execPath, ['--input-type=module-typescript', '-e', program], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  return JSON.parse(printed) as Record<string, string>;
}

/** Unpacks a zip, and says how many MB it has. */
function unzip(zip: string, to: string): number {
  let bytes = 0;
  for (const [path, content] of Object.entries(unzipSync(readFileSync(zip)))) {
    const file = join(to, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
    bytes += content.length;
  }
  return bytes / 1e6;
}

/** The time of a process that loads a function's code, or nothing: the median of five. */
function loading(folder?: string): number {
  const env = {
    PATH: process.env['PATH'] ?? '',
    MODEL: 'flight-delay',
    LEDGER_TABLE: 'ledger',
    LAKE_BUCKET: 'lake',
    ARTIFACT_BUCKET: 'artifacts',
    REQUEST_LOG_KEY: 'key',
    RETENTION_DAYS: '30',
    AWS_REGION: 'us-east-1',
  };
  const program = folder === undefined ? '0' : `await import(${JSON.stringify(join(folder, 'index.mjs'))})`;
  const times = Array.from({ length: 5 }, () => {
    const start = performance.now();
    execFileSync(process.execPath, ['--input-type=module', '-e', program], { env });
    return performance.now() - start;
  });
  return quantile(times, 0.5);
}

/** This process's memory after one and after twenty batches, each with an engine and a model of its own. */
async function warmMemory(
  onnx: Uint8Array,
  features: readonly string[],
  definition: ModelDefinition,
): Promise<{ readonly first: number; readonly last: number }> {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-bench-'));
  const batch = async (): Promise<number> => {
    const result = await onnxScoring.withModel(onnx, definition, async (model) => {
      for (const file of features) await model.score({ features: file, out: join(folder, 'out.parquet') });
    });
    if (result.kind === 'refused') throw new Error(result.refusal.found);
    return process.memoryUsage().rss / 1e6;
  };
  try {
    const first = await batch();
    let last = first;
    for (let count = 1; count < 20; count += 1) last = await batch();
    return { first, last };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
