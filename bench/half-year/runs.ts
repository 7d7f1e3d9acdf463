// A week's retraining run, as the pipeline does it: windows are planned, trained, chosen among on the selection days, and
// the chosen one is measured on the test days against whoever serves.
import { basename, join } from 'node:path';
import { z } from 'zod';
import { measureComparison } from '#adapters/duckdb/comparison.ts';
import type { Digest } from '#domain/canonical/digest.ts';
import { ComparisonMeasure } from '#domain/comparison/measure.ts';
import { partitionsBetween } from '#domain/data/feature-plan.ts';
import { addDays, daysBetween } from '#domain/data/partition.ts';
import { type DayRange, planWindows, type Slice } from '#domain/data/windows.ts';
import type { ModelDefinition } from '#domain/model/definition.ts';
import type { Policy } from '#domain/policy/policy.ts';
import { damagedDays, type FaultKind, faultOf } from './faults.ts';
import { kept } from './cache.ts';
import { type Catalogue, type DayFeatures, type HalfYearLake, labelFiles } from './lake.ts';
import { constantOf, type HalfYearRelease, releaseOf, score, train, withColumns } from './releases.ts';
import { RowTest, testByRows } from './rows.ts';

/** What a run found, and what it read. */
export interface WeeklyRun {
  readonly week: number;
  readonly asOf: string;
  readonly fault: FaultKind | undefined;
  readonly candidate: HalfYearRelease;
  /** Mean log loss on the selection days, by window; the least was chosen. */
  readonly choice: Readonly<Record<string, number>>;
  readonly catalogue: Catalogue;
  /** All days that were read. */
  readonly days: DayRange;
  readonly test: Slice;
}

/** Two releases on the test days of a run. */
export interface HeldOut {
  readonly measure: ComparisonMeasure;
  readonly byRows: RowTest;
}

/** The first day of the flights. */
export const FIRST_DAY = '2001-01-01';

/** Trains what a model's windows ask for as of a day, and chooses. Undefined where the history is too short. */
export async function runWeek(
  lake: HalfYearLake,
  week: number,
  asOf: string,
  fault: FaultKind | undefined,
): Promise<WeeklyRun | undefined> {
  const days = { first: FIRST_DAY, last: addDays(asOf, -1) };
  const plan = planWindows(lake.definition, asOf, days);
  if (plan.kind === 'refused') return undefined;
  const { damage, learned, isConstant } = fault === undefined ? {} : { ...NOTHING, ...faultOf(fault) };
  const catalogue = damage === undefined ? lake.clean : await lake.damaged(damage, damagedDays(asOf));
  const labels = labelFiles(catalogue, { first: FIRST_DAY, last: days.last });
  const featuresOf = async (range: DayRange): Promise<DayFeatures[]> => {
    const own = await lake.features(catalogue, daysBetween(range.first, range.last));
    return learned === undefined ? own : withColumns(lake, own, learned, labels);
  };
  const found: { window: string; loss: number; release: HalfYearRelease }[] = [];
  for (const window of plan.windows) {
    const model = await trainOn(lake, catalogue, window, await featuresOf(window.events));
    const title = `week ${week}, ${window.name}`;
    const trained = isConstant === true ? constantOf(lake, model) : model;
    const release = releaseOf(trained, week, title, fault === undefined ? undefined : faultOf(fault));
    const files = await score(lake, release, await featuresOf(plan.selection.events), 'held out');
    const key = { files: files.map((file) => basename(file)), labels: labelDigests(catalogue, plan.selection) };
    const { candidate: loss } = await kept(join(lake.folder, 'choices'), key, RowTest, () =>
      testByRows(lake.definition, labelFiles(catalogue, plan.selection.labels), files, files),
    );
    found.push({ window: window.name, loss, release });
  }
  const [chosen] = found.toSorted((a, b) => a.loss - b.loss);
  if (chosen === undefined) return undefined;
  const choice = Object.fromEntries(found.map(({ window, loss }) => [window, loss]));
  return { week, asOf, fault, candidate: chosen.release, choice, catalogue, days, test: plan.test };
}

const NOTHING = { damage: undefined, learned: undefined, isConstant: undefined };

/**
 * The release that serves before the first run can be judged: of all days whose labels had arrived before the first test
 * day that it will be compared with.
 */
export async function firstRelease(lake: HalfYearLake, firstRun: string): Promise<HalfYearRelease> {
  const definition: ModelDefinition = {
    ...lake.definition,
    windows: [{ name: 'first', since: FIRST_DAY }],
    evaluation: { ...lake.definition.evaluation, selectionDays: 0 },
  };
  const plan = planWindows(definition, firstRun, { first: FIRST_DAY, last: addDays(firstRun, -1) });
  const [window] = plan.kind === 'planned' ? plan.windows : [];
  if (window === undefined) throw new Error(`no first release can be trained as of ${firstRun}`);
  const features = await lake.features(lake.clean, daysBetween(window.events.first, window.events.last));
  return releaseOf(await trainOn(lake, lake.clean, window, features), 1, 'the first release');
}

/** Trains on a slice's features and the labels that it may see. */
export function trainOn(lake: HalfYearLake, catalogue: Catalogue, slice: Slice, features: readonly DayFeatures[]) {
  return train(lake, features, labelFiles(catalogue, slice.labels), labelDigests(catalogue, slice));
}

const HeldOutKept = z.object({ measure: ComparisonMeasure, byRows: RowTest });

/** Measures a run's candidate against a champion on the run's test days, as the run sees them. */
export async function heldOut(
  lake: HalfYearLake,
  policy: Policy,
  run: WeeklyRun,
  champion: HalfYearRelease,
): Promise<HeldOut> {
  const { definition } = lake;
  const { cluster, slices } = policy.comparison;
  const days = daysBetween(run.test.events.first, run.test.events.last);
  const features = await lake.features(run.catalogue, days);
  const learned = run.fault === undefined ? undefined : faultOf(run.fault).learned;
  const key = {
    format: 1,
    features: features.map(({ digest }) => digest),
    labels: labelDigests(run.catalogue, run.test),
    learned: { ...learned },
    champion: champion.id,
    candidate: run.candidate.id,
    cluster,
    slices: slices.columns,
  };
  return kept(join(lake.folder, 'comparisons'), key, HeldOutKept, async () => {
    const labels = labelFiles(run.catalogue, run.test.labels);
    const arrived = labelFiles(run.catalogue, { first: FIRST_DAY, last: run.days.last });
    const own = learned === undefined ? features : await withColumns(lake, features, learned, arrived);
    const predictions = {
      champion: await score(lake, champion, features, 'held out'),
      candidate: await score(lake, run.candidate, own, 'held out'),
    };
    const measured = await measureComparison({
      features: features.map(({ file }) => file),
      labels,
      ...predictions,
      definition,
      cluster,
      slices: slices.columns,
      memory: '4GB',
    });
    if (measured.kind === 'refused') throw new Error(measured.refusal.found);
    const byRows = await testByRows(definition, labels, predictions.champion, predictions.candidate);
    return { measure: measured.measure, byRows };
  });
}

function labelDigests({ partitions }: Catalogue, { labels }: Slice): Digest[] {
  return partitionsBetween(partitions, 'labels', labels).partitions.map(({ digest }) => digest);
}
