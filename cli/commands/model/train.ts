import { readFile } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import { z } from 'zod';
import { measureTrainingRows } from '#adapters/duckdb/training-figures.ts';
import { exportTrainingRows } from '#adapters/duckdb/training-rows.ts';
import { inspectOnnx } from '#adapters/onnx/inspect.ts';
import { onnxScoring } from '#adapters/onnx/scoring.ts';
import { joinLines } from '#domain/data/label-joins.ts';
import { addDays, daysBetween } from '#domain/data/partition.ts';
import { trainingRowsFile } from '#domain/data/training-plan.ts';
import { planWindows, type Slice } from '#domain/data/windows.ts';
import { Day, type ModelDefinition, ModelName } from '#domain/model/definition.ts';
import { agreementInWords, judgeTrainerPredictions, type TrainerAgreement } from '#domain/model/trainer-predictions.ts';
import { compileModel } from '#model/compile.ts';
import type { Context, Run } from '../../context.ts';
import { RefusedError, refuse } from '../../refusal.ts';
import { modelFolder } from '../../references.ts';
import { duration } from '../../report.ts';
import { runTraining } from '#local/pipeline/training.ts';
import { type BuiltDay, buildLocally, byDay, filesOf, localCatalogue } from './local-features.ts';
import type { DayFile } from '#ports/feature-engine.ts';

const Input = z.object({
  name: ModelName,
  events: z.array(z.string()).min(1),
  labels: z.array(z.string()).min(1),
  asOf: Day.optional(),
  out: z.string().optional(),
});

export const run: Run = async (context) => {
  const { name, events, labels, asOf: given, out } = context.input(Input);
  const folder = await modelFolder(context, name);
  const definition = await compileModel(folder);
  const [eventDays, labelDays] = [
    await localCatalogue('events', byDay(events, context)),
    await localCatalogue('labels', byDay(labels, context)),
  ];
  const [first, last] = [eventDays[0]?.day ?? '', eventDays.at(-1)?.day ?? ''];
  const asOf = given ?? addDays(last, 1);
  const plan = planWindows(definition, asOf, { first, last });
  if (plan.kind === 'refused') throw new RefusedError(plan.refusal);
  for (const skipped of plan.skipped) context.note(`window ${skipped.name} is left out: ${skipped.refusal.found}`);
  const target = out ?? join(context.home, 'train', name);
  const days = [
    ...new Set(plan.windows.flatMap(({ events: range }) => daysBetween(range.first, range.last))),
  ].toSorted();
  const built = await buildLocally(definition, folder, [...eventDays, ...labelDays], days, target, (day, done) => {
    if (done % 10 === 0 || done === days.length) context.note(`  features ${done} of ${days.length} (${day})`);
  });
  const trained = [];
  for (const window of plan.windows) {
    context.note(`window ${window.name}: events from ${window.events.first} to ${window.events.last}`);
    const own = built.filter(({ day }) => day >= window.events.first && day <= window.events.last);
    const arrived = labelDays.filter(({ day }) => day >= window.labels.first && day <= window.labels.last);
    const root = join(target, window.name);
    trained.push(await trainOn(context, { definition, folder, root, window, built: own, labels: filesOf(arrived) }));
  }
  context.print({
    data: { model: name, asOf, windows: trained.map(({ lines: _lines, title: _title, ...data }) => data) },
    sections: trained.map(({ title, lines }) => ({ title: `${name} trained on ${title}`, lines })),
  });
};

interface Window {
  readonly definition: ModelDefinition;
  readonly folder: string;
  /** Where its rows and its model go. */
  readonly root: string;
  readonly window: Slice & { readonly name: string };
  readonly built: readonly BuiltDay[];
  readonly labels: readonly DayFile[];
}

/** Trains on one window, and looks at what the program left as packaging does. */
async function trainOn(context: Context, { definition, folder, root, window, built, labels }: Window) {
  const rows = await exportTrainingRows({ features: built, labels, definition, out: join(root, 'rows') });
  if (rows.kind === 'refused') throw new RefusedError(rows.refusal);
  const measured = await measureTrainingRows({ rows: rows.files, features: built.map(({ file }) => file), definition });
  const empty = measured.kind === 'measured' ? measured.rows.inputs.filter(({ missing }) => missing === 1) : [];
  const lost = [
    ...joinLines(rows.joins),
    ...(measured.kind === 'refused' ? [`the features were not looked at: ${measured.refusal.found}`] : []),
    ...empty.map(({ column }) => `feature ${column} has no value in any of the ${rows.rows} rows`),
  ];
  // Before the program runs: what it then says of the rows may follow from this.
  for (const line of lost) context.note(`  ${line}`);
  const began = performance.now();
  const trained = await runTraining(definition, folder, join(root, 'rows'), join(root, 'container'), (line) =>
    context.note(`  | ${line}`),
  );
  if (trained.failure !== undefined)
    refuse(
      'training-succeeds',
      trained.failure,
      `look at what it printed above, and at ${relative(process.cwd(), folder)}/training`,
    );
  const onnx = onnxScoring.unwrapped(await readFile(trained.model));
  const inspected = inspectOnnx(onnx, definition.features.columns.length);
  if (inspected.kind === 'refused') throw new RefusedError(inspected.refusal);
  const agreed = await agreementWith(trained.predictions, onnx, definition, rows.files);
  return {
    window,
    rows: rows.rows,
    positives: rows.positives,
    joins: rows.joins,
    emptyFeatures: empty.map(({ column }) => column),
    metrics: trained.metrics,
    agreement: agreed ?? null,
    file: trained.model,
    title: `${window.name} in ${duration(performance.now() - began)}`,
    lines: [
      `  rows     ${rows.rows}, ${rows.positives} positive`,
      ...lost.map((line) => `           ${line}`),
      ...Object.entries(trained.metrics).map(([metric, value]) => `  ${metric.padEnd(8)} ${value}`),
      `  onnx     ${agreementInWords(agreed)}`,
      `  model    ${trained.model}: ${inspected.inspection.operators.join(', ')}`,
    ],
  };
}

/** How near the ONNX file is to what its trainer predicted, as packaging looks at it. */
async function agreementWith(
  predictions: string | undefined,
  onnx: Uint8Array,
  definition: ModelDefinition,
  files: readonly string[],
): Promise<TrainerAgreement | undefined> {
  if (predictions === undefined) return undefined;
  const rowsOf = async (day: string) => files.find((file) => basename(file) === trainingRowsFile(day));
  const again = await onnxScoring.predictAgain(onnx, definition, { predictions, rowsOf });
  const judged = again.kind === 'refused' ? again : judgeTrainerPredictions(again.rows);
  if (judged.kind === 'refused') throw new RefusedError(judged.refusal);
  return judged.agreement;
}
