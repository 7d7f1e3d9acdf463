import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { canonicalJson, type Digest, digestOf, parseCanonical } from '#domain/canonical/digest.ts';
import { type CheckResults, DataCheckPlan, type TrainingRows } from '#domain/data/data-check.ts';
import { TrainingPlan } from '#domain/data/training-plan.ts';
import type { DataRule } from '#domain/policy/policy.ts';
import type { FeatureEngine } from '#ports/feature-engine.ts';
import { resultsPrefix } from '#use-cases/data-quality/check-expectations.ts';
import { judgeData } from '#use-cases/data-quality/judge-data.ts';
import { planDataCheck } from '#use-cases/data-quality/plan-data-check.ts';
import { stageData, stagePrefix } from '#use-cases/data-quality/stage-data.ts';
import { planWindows } from '#use-cases/retraining/plan-windows.ts';
import { JOINS } from '#test/domain/data/_joins.ts';
import { admitDays } from './_admitted.ts';
import { bytes, deployed, type Environment, MODEL, world } from './_environments.ts';

export const RULE: DataRule = { rowCounts: { tolerance: 0.3, weeks: 8, minimumWeeks: 1 }, leakageAuc: 0.9 };
export const SUITE = canonicalJson({ name: 'suite', expectations: [{ type: 'expect_something', kwargs: {} }] });
export const ROWS: TrainingRows = {
  joins: JOINS,
  events: 9,
  rows: 9,
  positives: 1,
  inputs: [{ column: 'x', missing: 0, auc: 0.6 }],
};
export const FAILURE = { expectation: 'expect_something', about: 'column=x', found: '3 of 9 values, such as 99' };

export let dev: Environment & { readonly files: Map<string, string> };
export let rows: TrainingRows;
/** Dev with nineteen days of data, and rules for them. */
export async function begin(): Promise<void> {
  rows = ROWS;
  const environment = world().environment('dev');
  const [model] = deployed.models;
  if (model === undefined) throw new Error('no model');
  const own = {
    ...model,
    policy: { ...model.policy, data: RULE },
    expectations: { events: SUITE, labels: SUITE, features: SUITE },
  };
  dev = { ...environment, deployed: { ...deployed, models: [own] }, files: new Map() };
  await admitDays(dev.ledger, '2001-01-01', '2001-01-19');
}

export const plan = async (run: string, training: unknown = null) =>
  (await planDataCheck(dev)({ model: MODEL, run, training })) as { status: string; plan: Digest; partitions: number };
export const planOf = async (digest: Digest) => parseCanonical(DataCheckPlan, await dev.documents.read(digest), 'plan');

export type Items = Parameters<FeatureEngine['stagePartitions']>[0];

/** An engine that exports nothing but the words "rows", and refuses partitions in which it finds "refuse". */
export const engine = {
  stagePartitions: async ({ items }: Items) =>
    Promise.all(
      items.map(async ({ files, out }) => {
        const text = (await Promise.all(files.map((file) => readFile(file, 'utf8')))).join('');
        const [, rule] = /^refuse (.*)/.exec(text) ?? [];
        if (rule !== undefined) return { kind: 'refused', refusal: { rule, found: 'column x is missing', remedy: '' } };
        await writeFile(out, text);
        return { kind: 'built', rows: 9 };
      }),
    ),
  exportTrainingRows: async ({ out }: { out: string }) => {
    const files = ['2001-01-01', '2001-01-02'].map((day) => join(out, `train-${day}.parquet`));
    await mkdir(out);
    for (const file of files) await writeFile(file, 'rows');
    return { kind: 'built', rows: 9, positives: 1, files, joins: JOINS };
  },
  measureTrainingRows: async () => ({ kind: 'measured' as const, rows }),
} as unknown as FeatureEngine;

/** Where the data of a check is put. */
export const putting = () => ({
  storeRows: async (key: string, path: string) => void dev.files.set(key, await readFile(path, 'utf8')),
  fetch: async () => false,
  readArtifact: async () => ({ kind: 'read' as const, files: new Map() }),
});

export const stage = async (digest: Digest) => {
  const { training: about } = await planOf(digest);
  if (about !== null) {
    const { features } = parseCanonical(TrainingPlan, await dev.documents.read(about.plan), 'training plan');
    for (const { day, digest: of } of features)
      dev.lake.objects.set(`${MODEL}/features/${of}`, { content: bytes(day), sha256: digestOf(day), rows: 9 });
  }
  for (const { kind, day, objects } of (await planOf(digest)).partitions)
    for (const { key } of objects) if (!dev.lake.sources.has(key)) dev.lake.sources.set(key, bytes(`${kind} ${day}`));
  return (await stageData({ ...dev, engine, training: putting() })({ plan: digest })) as {
    status: string;
    staged?: Digest;
  };
};

/** What a job finds: every batch that was staged, with as many rows as are said, and what is not met. */
export const finds = (run: string, change: (batch: CheckResults['batches'][number]) => object = () => ({})): void => {
  const batches = JSON.parse(dev.files.get(`${stagePrefix(run)}batches.json`) ?? '[]') as CheckResults['batches'];
  const results = batches.map(({ kind, day, version }) => {
    const batch = { kind, day, version, rows: 9, evaluated: 1, failures: [] };
    return { ...batch, ...change(batch) };
  });
  const found = { formatVersion: 1, greatExpectations: '1.24.1', batches: results };
  dev.checks.outputs.set(`${resultsPrefix(run)}results.json`, bytes(JSON.stringify(found, null, 1)));
};

export const judge = async (
  planned: { plan: Digest },
  staged: object,
  checked: object | undefined = { status: 'checked' },
) =>
  (await judgeData(dev)({ plan: planned, staged, ...(checked === undefined ? {} : { checked }) })) as {
    status: string;
    reasons: string[];
    evidence: Digest;
  };

/** A whole check, whose job finds what is said. */
export const check = async (run: string, training: unknown = null, change?: Parameters<typeof finds>[1]) => {
  const planned = await plan(run, training);
  const staged = await stage(planned.plan);
  finds(run, change);
  return judge(planned, staged);
};

/** What the retraining machine hands on to its check. */
export const training = async () =>
  ((await planWindows(dev)({ model: MODEL, run: 'run', asOf: '2001-01-20' })) as { check: unknown }).check;

export function setRows(value: typeof rows): void {
  rows = value;
}
