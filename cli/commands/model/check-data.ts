import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { stagePartitions } from '#adapters/duckdb/staged-partitions.ts';
import { measureTrainingRows } from '#adapters/duckdb/training-figures.ts';
import { exportTrainingRows } from '#adapters/duckdb/training-rows.ts';
import { canonicalJson, digestOf } from '#domain/canonical/digest.ts';
import { type CheckedBatch, type CheckedPartition, CheckResults } from '#domain/data/data-check.ts';
import { type CataloguePartition, featurePlanner } from '#domain/data/feature-plan.ts';
import { FEATURE_ENGINE } from '#domain/data/engines.ts';
import { type DataEvidence, judgeData } from '#domain/data/judge-data.ts';
import { joinLines } from '#domain/data/label-joins.ts';
import { addDays, daysBetween } from '#domain/data/partition.ts';
import type { DataKind, Policy } from '#domain/policy/policy.ts';
import type { ModelDefinition } from '#domain/model/definition.ts';
import { compileExpectations } from '#model/suites.ts';
import type { Context } from '../../context.ts';
import { RefusedError, refuse } from '../../refusal.ts';
import { runSuites } from '#local/pipeline/suites.ts';
import { buildLocally, byDay, filesOf, localCatalogue } from './local-features.ts';

/** What a data check would say of some files before training. */
export interface CheckedData {
  readonly verdict: ReturnType<typeof judgeData>['verdict'];
  readonly reasons: readonly string[];
  /** What was looked at. */
  readonly lines: readonly string[];
}

type Model = { readonly definition: ModelDefinition; readonly policy: Policy; readonly folder: string };
type Suites = ReturnType<typeof compileExpectations>;

/**
 * Judges local files as the pipeline judges partitions before a training: what features refuse, what the suites expect, and
 * the policy's rules for data. Without labels there are no training rows to judge.
 */
export async function checkData(
  context: Context,
  { definition, policy, folder }: Model,
  given: { readonly events: readonly string[]; readonly labels: readonly string[] },
): Promise<CheckedData> {
  const { data } = policy;
  if (data === undefined) return refuse('data-rule', 'the policy has no rules for data');
  const events = await localCatalogue('events', byDay(given.events, context));
  const labels = given.labels.length === 0 ? [] : await localCatalogue('labels', byDay(given.labels, context));
  const root = join(context.home, 'check', definition.name);
  await rm(root, { recursive: true, force: true });
  const catalogue = [...events, ...labels];
  const rows = labels.length === 0 ? null : await trainingRows(context, definition, folder, catalogue, root);
  const suites = compileExpectations(folder);
  const batches = await validated(context, { definition, suites, catalogue, rows: rows?.files ?? [], root });
  const checked = catalogue.flatMap(({ kind, day, digest }): CheckedPartition[] => {
    const batch = batches.find((each) => each.kind === kind && each.day === day);
    if (batch === undefined) return [];
    return [{ kind, day, digest, suite: digestOf(suites[kind] ?? ''), rows: batch.rows, failures: batch.failures }];
  });
  const training: DataEvidence['training'] =
    rows === null ? null : { rows: rows.measured, batch: batches.find(({ kind }) => kind === 'features') };
  const span = { from: events[0]?.day ?? '', to: events.at(-1)?.day ?? '' };
  const judged = judgeData({ catalogue, checked, span, used: catalogue, refused: [], training }, data);
  const expected = batches.reduce((sum, { evaluated }) => sum + evaluated, 0);
  return {
    ...judged,
    lines: [
      `  events of ${events.length} days and labels of ${labels.length}, from ${span.from} to ${span.to}`,
      ...(rows === null
        ? ['  no training rows were judged: give --labels']
        : [
            `  ${rows.measured.rows} training rows of ${rows.days} days`,
            ...joinLines(rows.measured.joins).map((line) => `  ${line}`),
          ]),
      `  ${expected} expectations of ${batches.length} batches were evaluated`,
    ],
  };
}

/** The rows of each day that can be built and whose labels are due, as a training would read them. */
async function trainingRows(
  context: Context,
  definition: ModelDefinition,
  folder: string,
  catalogue: readonly CataloguePartition[],
  root: string,
) {
  const eventDays = catalogue.filter(({ kind }) => kind === 'events').map(({ day }) => day);
  const labels = catalogue.filter(({ kind }) => kind === 'labels');
  const newest = labels.at(-1)?.day ?? '';
  const last = addDays(newest, -definition.labels.matureAfterDays);
  const planned = featurePlanner(definition, FEATURE_ENGINE, catalogue);
  const due = daysBetween(eventDays[0] ?? last, last).filter((day) => eventDays.includes(day));
  if (due.length === 0)
    refuse(
      'labels-due',
      `labels arrived until ${newest}, and no day of the events is ${definition.labels.matureAfterDays} days older`,
      'give labels of later days, or events of earlier ones',
    );
  const missing = due.flatMap((day) => {
    const plan = planned(day);
    return plan.ready ? [] : plan.missing;
  });
  const [first] = missing;
  if (first !== undefined)
    refuse('partitions-there', `${first.kind} of ${first.day} are missing`, 'give the files of this day as well');
  const built = await buildLocally(definition, folder, catalogue, due, join(root, 'features'), (day, done) => {
    if (done % 10 === 0 || done === due.length) context.note(`  features ${done} of ${due.length} (${day})`);
  });
  const exported = await exportTrainingRows({
    features: built,
    labels: filesOf(labels),
    definition,
    out: join(root, 'rows'),
  });
  if (exported.kind === 'refused') throw new RefusedError(exported.refusal);
  const { files, joins } = exported;
  const measured = await measureTrainingRows({ rows: files, features: built.map(({ file }) => file), definition });
  if (measured.kind === 'refused') throw new RefusedError(measured.refusal);
  return { files, days: due.length, measured: { ...measured.rows, joins } };
}

/** Refuses suites that did not run to their end, by what they printed. */
export function mustHaveRun(failure: string | undefined): void {
  if (failure !== undefined) refuse('suites-run', failure);
}

/** What the suites say of each partition and of the training rows: the processing job's own program, in its own layout. */
async function validated(
  context: Context,
  of: {
    readonly definition: ModelDefinition;
    readonly suites: Suites;
    readonly catalogue: readonly CataloguePartition[];
    readonly rows: readonly string[];
    readonly root: string;
  },
): Promise<readonly CheckedBatch[]> {
  const { definition, suites, catalogue, rows, root } = of;
  const input = join(root, 'opt/ml/processing/input');
  await mkdir(join(input, 'suites'), { recursive: true });
  for (const [kind, suite] of Object.entries(suites)) await writeFile(join(input, 'suites', `${kind}.json`), suite);
  const parts = catalogue.filter(({ kind }) => kind in suites);
  const items = parts.map(({ kind, day, objects }, index) => ({
    kind,
    day,
    files: objects.map(({ key }) => key),
    out: join(input, `${index}.parquet`),
  }));
  const staged = await stagePartitions({ definition, items });
  const batches: { kind: DataKind; day: string | null; version: number | null; files: string[]; refused?: string }[] =
    items.map(({ kind, day, out }, index) => {
      const result = staged[index];
      const about = { kind, day, version: 1 };
      return result?.kind === 'refused'
        ? { ...about, files: [], refused: `${result.refusal.rule}: ${result.refusal.found}` }
        : { ...about, files: [basename(out)] };
    });
  if (rows.length > 0 && 'features' in suites)
    batches.push({ kind: 'features', day: null, version: null, files: [...rows] });
  if (batches.length === 0) return [];
  await writeFile(join(input, 'batches.json'), canonicalJson(batches));
  context.note(`  Great Expectations is started for ${batches.length} batches, which takes some seconds`);
  mustHaveRun(await runSuites(root));
  const results = await readFile(join(root, 'opt/ml/processing/output/results.json'), 'utf8');
  return CheckResults.parse(JSON.parse(results)).batches;
}
