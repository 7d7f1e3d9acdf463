import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { Digest } from '#domain/canonical/digest.ts';
import { GatehouseError } from '#domain/error.ts';
import { addDays } from '#domain/data/partition.ts';
import { Day, ModelName } from '#domain/model/definition.ts';
import { openManifest } from '#domain/release/manifest.ts';
import { compileAlone } from '#model/compile-deployment.ts';
import type { ArtifactStore } from '#ports/artifact-store.ts';
import type { Context, Run } from '../../../context.ts';
import { mustBeFile } from '../../../given-files.ts';
import { refuse, UsageError } from '../../../refusal.ts';
import { findRelease, modelFolder, parseReference } from '../../../references.ts';
import { checkModels, errorsOf } from '../checked.ts';
import { byDay } from '../local-features.ts';
import { localLanding } from '#local/pipeline/landing.ts';
import { localPipeline, storesIn } from '#local/pipeline/pipeline.ts';
import { evaluationView } from './view.ts';

const Input = z.object({
  name: ModelName,
  events: z.array(z.string()).min(1),
  labels: z.array(z.string()).min(1),
  asOf: Day.optional(),
  against: z.string().default('baseline'),
  out: z.string().optional(),
});

const REPOSITORY = join(import.meta.dirname, '..', '..', '..', '..');

export const run: Run = async (context) => {
  const { name, events, labels, asOf: given, against, out } = context.input(Input);
  const modelHome = await modelFolder(context, name);
  const [wrong] = errorsOf(await checkModels(context, [name]));
  if (wrong !== undefined) refuse('model-valid', wrong, `see all of it: gatehouse model check ${name}`);
  const deployed = await compileAlone(REPOSITORY, modelHome, context.governance);
  const [model] = deployed.models;
  if (model === undefined) throw new Error(`${name} was not compiled`);
  const files = { events: byDay(events, context), labels: byDay(labels, context) };
  for (const { file } of [...files.events, ...files.labels]) await mustBeFile(file);
  const asOf =
    given ??
    addDays(
      files.events
        .map(({ day }) => day)
        .toSorted()
        .at(-1) ?? '',
      1,
    );
  const today = context.now().toISOString().slice(0, 10);
  if (asOf > today) refuse('as-of-past', `${asOf} is after today, ${today}`, 'name a day that has come: --as-of DAY');
  const folder = join(context.home, 'evaluate', name);
  const landing = await localLanding(model.definition, files).catch((error: unknown) => {
    if (error instanceof GatehouseError && error.code === 'SAME_NAME') throw new UsageError(error.message);
    throw error;
  });
  const counted = new Map<string, number>();
  const pipeline = await localPipeline({
    deployed,
    modelHome,
    landing,
    folder,
    now: context.now,
    champion:
      against === 'baseline' ? undefined : await championNamed(context, name, against, storesIn(folder).releases),
    onState(state) {
      const count = (counted.get(state) ?? 0) + 1;
      counted.set(state, count);
      context.note(`  ${state.toLowerCase()}${count === 1 ? '' : ` (${count})`}`);
    },
    onLine: (line) => context.note(`  | ${line}`),
  });
  context.note(
    `${name} as of ${asOf}: admitting ${files.events.length} files of events and ${files.labels.length} of labels`,
  );
  const notAdmitted = await pipeline.admit();
  for (const reason of notAdmitted) context.note(`  ${reason}`);
  const retrained = await pipeline.retrain({ model: name, asOf });
  const page = out ?? join(folder, 'report.html');
  const view = await evaluationView(pipeline, retrained, { model, asOf, against, notAdmitted, page });
  if (view.html !== undefined) {
    await mkdir(dirname(page), { recursive: true });
    await writeFile(page, view.html);
  }
  context.print(view.report);
  if (view.status !== 'offered')
    refuse(
      'candidate-proven',
      `the pipeline would end this run ${view.status}: ${view.reasons.join('; ')}`,
      'correct the data, the features or the training program, and evaluate again',
    );
};

/** A release that an earlier evaluation made, by its whole digest, or one that dev registered, whose files are copied here. */
async function championNamed(context: Context, model: string, reference: string, here: ArtifactStore): Promise<Digest> {
  const digest = Digest.safeParse(reference).data;
  if (digest !== undefined && (await here.has(digest))) return digest;
  const cloud = context.cloud('dev');
  const found = await findRelease(cloud.ledger, parseReference(reference), [model]);
  if (found.model !== model)
    refuse('release-known', `${reference} is a release of ${found.model}`, `see: gatehouse release list ${model}`);
  const bytes = await cloud.releases.read(found.release);
  const manifest = openManifest(bytes);
  for (const { sha256 } of manifest.files) await here.write(await cloud.releases.read(sha256));
  await here.write(bytes);
  return found.release;
}
