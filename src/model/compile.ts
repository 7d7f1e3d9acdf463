import { readFile, readdir, stat } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import { z } from 'zod';
import { type Digest, digestOf, digestOfJson } from '#domain/canonical/digest.ts';
import { GatehouseError } from '#domain/error.ts';
import { issueMessages, issueText, meantIssues } from '#domain/issues.ts';
import { type DefinitionIssue, inconsistencies } from '#domain/model/consistency.ts';
import { MOST_CONTEXT_MINUTES, ModelDefinition, typeOf } from '#domain/model/definition.ts';
import { DURATION, type ModelInput, unpushedImage } from './define-model.ts';
import { importDefinition } from './import-definition.ts';

/**
 * Compiles `<folder>/model.ts` to the definition that CDK and the functions read: defaults filled in, SQL and training
 * files hashed. An error names the file, the field, its value and what is allowed.
 */
export async function compileModel(folder: string): Promise<ModelDefinition> {
  const file = join(folder, 'model.ts');
  const label = `models/${basename(folder)}/model.ts`;
  const input = await importInput(file, label);
  const raw = await withDefaults(input, folder, label);
  const parsed = ModelDefinition.safeParse(raw, { error: issueMessages });
  if (!parsed.success)
    fail(
      label,
      parsed.error.issues.flatMap(meantIssues).map((issue) => schemaIssue(issue, raw)),
    );
  const issues = inconsistencies(parsed.data);
  if (parsed.data.name !== basename(folder)) {
    issues.unshift({ path: 'name', value: parsed.data.name, allowed: `the folder's name, ${basename(folder)}` });
  }
  if (issues.length > 0) fail(label, issues);
  return parsed.data;
}

/** Compiles each folder of `root` that holds a `model.ts`, in the order of their names. */
export async function compileModels(root: string): Promise<ModelDefinition[]> {
  const entries = await readdir(root, { withFileTypes: true });
  const folders = entries.filter((entry) => entry.isDirectory()).map((entry) => join(root, entry.name));
  const found = await Promise.all(
    folders.map(async (folder) => ((await exists(join(folder, 'model.ts'))) ? folder : undefined)),
  );
  return Promise.all(
    found
      .filter((folder) => folder !== undefined)
      .sort()
      .map(compileModel),
  );
}

/** The digest of a training program: its files' names and contents, without what Python leaves behind. */
export async function trainingDigest(folder: string): Promise<Digest> {
  const root = join(folder, 'training');
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)));
  const code = paths.filter((path) => !/(^|\/)(__pycache__|\.[^/]*)(\/|$)|\.pyc$/.test(path)).sort();
  return digestOfJson(
    await Promise.all(code.map(async (path) => ({ path, sha256: digestOf(await readFile(join(root, path))) }))),
  );
}

/** Types are a promise that a JavaScript caller or a cast may have broken: any group may be missing. */
const ModelModule = z.looseObject({
  default: z.custom<Partial<ModelInput>>((value) => typeof value === 'object' && value !== null),
});

async function importInput(file: string, label: string): Promise<Partial<ModelInput>> {
  if (!(await exists(file))) {
    throw new GatehouseError('BAD_MODEL', `${label}: no such file; \`gatehouse model new\` makes one`, { file: label });
  }
  let module: unknown;
  try {
    module = await importDefinition(file);
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new GatehouseError('BAD_MODEL', `${label}: cannot be imported: ${message}`, { file: label }, cause);
  }
  const parsed = ModelModule.safeParse(module);
  if (parsed.success) return parsed.data.default;
  return fail(label, [{ path: 'default export', value: undefined, allowed: 'export default defineModel({ ... })' }]);
}

async function withDefaults(input: Partial<ModelInput>, folder: string, label: string): Promise<unknown> {
  const { events, labels, features, training } = input;
  if (training !== undefined && 'code' in training)
    fail(label, [
      { path: 'training.code', value: training.code, allowed: 'no field code: the files of training/ give it' },
    ]);
  const id = labels?.join ?? events?.id ?? '';
  return {
    formatVersion: 1,
    task: 'binary-classification',
    ...input,
    name: input.name ?? basename(folder),
    events: events && { readyMarker: '_READY', ...events },
    labels: labels && {
      readyMarker: '_READY',
      columns: {
        [id]: typeOf(events?.columns?.[events.id]),
        [labels.value]: 'BOOLEAN',
        [labels.arrivedAt]: 'TIMESTAMP',
      },
      ...labels,
      join: id,
    },
    features: features && {
      eventDays: labels?.matureAfterDays,
      ...features,
      daily: await sql(folder, 'features.daily', features.daily ?? 'features/daily.sql', label),
      features: await sql(folder, 'features.features', features.features ?? 'features/features.sql', label),
    },
    training: training && {
      image: unpushedImage(basename(folder)),
      seed: 0,
      instanceType: 'ml.m5.large',
      maxRuntimeSeconds: 3600,
      ...training,
      hyperparameters: mapValues(training.hyperparameters ?? {}, numberAsText),
      code: await code(folder, label),
    },
    windows: Object.entries(input.windows ?? {}).map(([name, size]) =>
      typeof size === 'number' ? { name, days: size } : { name, ...size },
    ),
    evaluation: { selectionDays: 7, testDays: 14, ...input.evaluation },
    predictions: { modes: ['batch'], days: 14, ...input.predictions },
    ...(input.online === undefined ? {} : { online: onlineOf(input.online, label) }),
    sla: input.sla ?? { predictionsWithinHours: 24 },
  };
}

/** Durations as minutes. */
function onlineOf(online: NonNullable<ModelInput['online']>, label: string): unknown {
  if (!Array.isArray(online.context)) return online;
  const context = online.context.map(({ within, ...rule }, index) => {
    const [, count, unit] = /^([1-9]\d{0,3}) (minute|hour)s?$/.exec(String(within)) ?? [];
    const withinMinutes = Number(count) * (unit === 'hour' ? 60 : 1);
    if (!(withinMinutes <= MOST_CONTEXT_MINUTES))
      fail(label, [{ path: `online.context.${index}.within`, value: within, allowed: DURATION }]);
    return { ...rule, withinMinutes };
  });
  return { ...online, context };
}

async function sql(folder: string, path: string, file: string, label: string): Promise<unknown> {
  try {
    return { path: file, sha256: digestOf(await readFile(join(folder, file))) };
  } catch (cause) {
    return fail(label, [{ path, value: file, allowed: `a file of ${label.replace(/model\.ts$/, '')}` }], cause);
  }
}

async function code(folder: string, label: string): Promise<Digest> {
  if (await exists(join(folder, 'training'))) return trainingDigest(folder);
  return fail(label, [{ path: 'training', value: 'training/', allowed: 'a folder with the training program' }]);
}

/** SageMaker takes texts only. What is neither text nor number stays as it is, and is refused: nobody meant `[object Object]`. */
function numberAsText(value: unknown): unknown {
  return Number.isFinite(value) ? String(value) : value;
}

function mapValues<T, U>(record: Readonly<Record<string, T>>, map: (value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));
}

function schemaIssue(issue: z.core.$ZodIssue, raw: unknown): DefinitionIssue {
  let value: unknown = raw;
  for (const key of issue.path) {
    value = typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
  }
  return { path: issue.path.join('.') || '(root)', value: shownValue(issue, value), allowed: issueText(issue) };
}

/** Of an object with unknown keys only these are shown: all of it would hide them. */
function shownValue(issue: z.core.$ZodIssue, value: unknown): unknown {
  if (issue.code !== 'unrecognized_keys' || typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(issue.keys.map((key): [string, unknown] => [key, Reflect.get(value, key)]));
}

function fail(label: string, issues: readonly DefinitionIssue[], cause?: unknown): never {
  const lines = issues.map(
    ({ path, value, allowed }) => `${label}: ${path}: ${JSON.stringify(value)?.slice(0, 200)}, allowed: ${allowed}`,
  );
  throw new GatehouseError('BAD_MODEL', lines.join('\n'), { file: label, issues }, cause);
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
