import { mkdir, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { canonicalJson, Digest } from '#domain/canonical/digest.ts';
import { DataCheckPlan, StagedData, type TrainingRows } from '#domain/data/data-check.ts';
import { ranges } from '#domain/data/feature-work.ts';
import type { InputPartition } from '#domain/data/partition.ts';
import { TrainingPlan } from '#domain/data/training-plan.ts';
import { GatehouseError } from '#domain/error.ts';
import type { FaultCode } from '#domain/faults.ts';
import { ModelDefinition } from '#domain/model/definition.ts';
import { readDocument, writeDocument } from '#ports/documents.ts';
import type { TrainingData } from '#ports/training-jobs.ts';
import type { Building } from '#use-cases/data/build-partitions.ts';
import { fetchPartitions, whyNotHad, withFolder } from '#use-cases/data/local-files.ts';
import { contract, type Task } from '#use-cases/task.ts';

export const StageData = contract({
  input: z.object({ plan: Digest }),
  output: z.discriminatedUnion('status', [
    z.object({ status: z.literal('staged'), staged: Digest }),
    z.object({ status: z.literal('refused'), reasons: z.array(z.string()).min(1) }),
  ]),
});

/** Where the data of a check is, and all that its processing job can read. */
export function stagePrefix(run: string): string {
  return `runs/${run}/check/input/`;
}

/** What the processing program reads first: which files make a batch, and of which kind it is. */
interface Batch {
  readonly kind: string;
  readonly day: string | null;
  readonly version: number | null;
  readonly files: readonly string[];
  /** Why features refuse it: then it has no file, and this is what its check finds. */
  readonly refused?: string;
}

interface Staging extends Building {
  readonly training: TrainingData;
}

/** Partitions that are on the function's disk at once. */
const TOGETHER = 16;

/**
 * Puts what a check validates where its job can read it: of each partition one file, of the rows that features read of it.
 * Each byte that is read is hashed on its way and compared with what was admitted: a partition that changed where it lay is
 * refused here, and the others are staged.
 */
export function stageData(deps: Staging): Task {
  return StageData.task(async ({ plan: digest }) => {
    const plan = await readDocument(deps.documents, DataCheckPlan, digest);
    const { staged, batches } = await withFolder((folder) => stage(deps, plan, folder));
    if (batches === 0) {
      const reasons = [...staged.refused.map(({ reason }) => reason), ...staged.untrainable];
      return { status: 'refused', reasons: reasons.slice(0, 12) };
    }
    return {
      status: 'staged',
      staged: await writeDocument(deps.documents, StagedData, staged),
    };
  });
}

/** The faults that say of data that it is damaged. */
const DAMAGED = new Set<FaultCode>(['ARTIFACT_TAMPERED', 'ARTIFACT_MISSING']);

/** Why data is refused: its bytes are not, or are no longer, those that were admitted, or they do not fit here. @throws what is a fault */
function refusalOf(error: unknown): string {
  const isData = error instanceof GatehouseError && DAMAGED.has(error.code);
  if (isData) return `snapshot-hashes: ${error.message}`.slice(0, 500);
  const reason = whyNotHad(error);
  if (reason === undefined) throw error;
  return reason;
}

async function stage(deps: Staging, plan: DataCheckPlan, folder: string) {
  const prefix = stagePrefix(plan.run);
  const put = (name: string, path: string): Promise<void> => deps.training.storeRows(`${prefix}${name}`, path);
  const batches: Batch[] = [];
  const refused: StagedData['refused'] = [];
  const definition = await readDocument(deps.documents, ModelDefinition, plan.definition);
  for (const { from, to } of ranges(plan.partitions.length, TOGETHER)) {
    const some = await stagePartitions(deps, definition, plan.partitions.slice(from, to), folder, put);
    batches.push(...some.batches);
    refused.push(...some.refused);
  }
  const training =
    plan.training === null
      ? null
      : await stageTraining(deps, plan.training.plan, folder, put).catch((error: unknown) => ({
          reason: refusalOf(error),
        }));
  const rows = training !== null && 'rows' in training ? training : null;
  if (rows !== null) batches.push(rows.batch);
  const files = plan.partitions
    .filter(
      ({ kind, day, version }) =>
        !refused.some((each) => each.kind === kind && each.day === day && each.version === version),
    )
    .flatMap(({ objects }) => objects);
  const kinds = new Set(batches.map(({ kind }) => kind));
  for (const [kind, digest] of Object.entries(plan.suites).filter(([kind]) => kinds.has(kind))) {
    const path = join(folder, `${kind}.json`);
    await writeFile(path, await deps.documents.read(digest));
    await put(`suites/${kind}.json`, path);
  }
  const index = join(folder, 'batches.json');
  const checked = inOrder(batches).filter(({ kind }) => kind in plan.suites);
  await writeFile(index, canonicalJson(checked));
  await put('batches.json', index);
  const staged = StagedData.parse({
    formatVersion: 1,
    files: files.length,
    bytes: files.reduce((sum, { size }) => sum + size, 0),
    refused: inOrder(refused),
    training: rows?.rows ?? null,
    untrainable: training !== null && 'reason' in training ? [training.reason] : [],
  });
  return { staged, batches: checked.length };
}

/** Partitions as the plan has them, whichever was staged first; the training rows come last. */
function inOrder<T extends { readonly kind: string; readonly day: string | null; readonly version: number | null }>(
  of: readonly T[],
): T[] {
  const place = ({ kind, day, version }: T): string => (day === null ? '~' : `${kind} ${day} ${version}`);
  return of.toSorted((a, b) => (place(a) < place(b) ? -1 : 1));
}

/** Stages some partitions, which are on the disk together. */
async function stagePartitions(
  deps: Staging,
  definition: ModelDefinition,
  parts: readonly InputPartition[],
  folder: string,
  put: (name: string, path: string) => Promise<void>,
) {
  const batches: Batch[] = [];
  const refused: StagedData['refused'] = [];
  const refuse = ({ kind, day, version }: InputPartition, reason: string): void =>
    void refused.push({ kind, day, version, reason });
  const own = join(folder, 'partitions');
  await mkdir(own);
  const fetched = await Promise.all(
    parts.map(async (part) => {
      try {
        const files = await fetchPartitions(deps.lake, [part], own);
        return { part, files: files.map(({ file }) => file) };
      } catch (error) {
        refuse(part, refusalOf(error));
        return undefined;
      }
    }),
  );
  const items = fetched.flatMap((each) => {
    if (each === undefined) return [];
    const { kind, day, version } = each.part;
    return [{ ...each, kind, day, out: join(own, `${kind}-${day}-v${version}.parquet`) }];
  });
  const results = await deps.engine.stagePartitions({
    definition,
    items: items.map(({ kind, day, files, out }) => ({ kind, day, files, out })),
  });
  await Promise.all(
    items.map(async ({ part, kind, day, out }, index) => {
      const result = results[index];
      if (result === undefined) throw new Error(`the engine said nothing of ${kind} of ${day}`);
      const about = { kind, day, version: part.version };
      if (result.kind === 'built') {
        const name = `${kind}/${basename(out)}`;
        await put(name, out);
        return void batches.push({ ...about, files: [name] });
      }
      const { rule, found } = result.refusal;
      const reason = `${rule}: ${found}`.slice(0, 500);
      // What has more memory may accept it: that is nothing to remember of the data.
      if (rule === 'data-fits-in-memory') return refuse(part, `${kind} of ${day}: ${reason}`);
      return void batches.push({ ...about, files: [], refused: reason });
    }),
  );
  await rm(own, { recursive: true });
  return { batches, refused };
}

/** The rows that the window with the most days trains on, as its job will get them, and what they say by themselves. */
async function stageTraining(
  deps: Staging,
  digest: Digest,
  folder: string,
  put: (name: string, path: string) => Promise<void>,
): Promise<{ readonly batch: Batch; readonly rows: TrainingRows } | { readonly reason: string }> {
  const plan = await readDocument(deps.documents, TrainingPlan, digest);
  const definition = await readDocument(deps.releases, ModelDefinition, plan.definition);
  const features = [];
  for (const { day, digest: part } of plan.features) {
    // A day that was refused was not built, and no retry makes it.
    if ((await deps.lake.find('features', plan.model, part)) === undefined)
      return { reason: `features of ${day} are not built, and the rows that would be trained on cannot be made` };
    features.push({ day, file: await deps.lake.fetch('features', plan.model, part, folder) });
  }
  const out = join(folder, 'training');
  const labels = await fetchPartitions(deps.lake, plan.labels, folder);
  const exported = await deps.engine.exportTrainingRows({ features, labels, definition, out });
  if (exported.kind === 'refused')
    return { reason: `${exported.refusal.rule}: ${exported.refusal.found}`.slice(0, 500) };
  const measured = await deps.engine.measureTrainingRows({
    rows: exported.files,
    features: features.map(({ file }) => file),
    definition,
  });
  if (measured.kind === 'refused')
    return { reason: `${measured.refusal.rule}: ${measured.refusal.found}`.slice(0, 500) };
  const files = exported.files.map((file) => `features/${basename(file)}`);
  for (const [index, file] of exported.files.entries()) await put(files[index] ?? '', file);
  return {
    batch: { kind: 'features', day: null, version: null, files },
    rows: { ...measured.rows, joins: exported.joins },
  };
}
