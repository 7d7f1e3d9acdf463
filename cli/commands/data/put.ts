import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { z } from 'zod';
import { landAll, type Landing, otherFiles, removeFiles, type WholePartition } from '#adapters/aws/partition-upload.ts';
import { digestOf } from '#domain/canonical/digest.ts';
import type { AdmittedPartition, PartitionKind } from '#domain/data/partition.ts';
import type { OpenRefusal } from '#domain/data/open-refusal.ts';
import { type ModelDefinition, ModelName } from '#domain/model/definition.ts';
import { compileModel } from '#model/compile.ts';
import { readPartitions } from '#read-model/partitions.ts';
import { readOpenRefusals } from '#read-model/refusals.ts';
import { type Cloud, notDeployed } from '../../cloud.ts';
import type { Context, Run } from '../../context.ts';
import { mustBeFile } from '../../given-files.ts';
import { readmit } from '../../landing.ts';
import { modelFolder } from '../../references.ts';
import { refuse, RefusedError, UsageError } from '../../refusal.ts';
import { interruptibly } from '../../interrupt.ts';
import { poll } from '../../waiting.ts';
import { byDay } from '../model/local-features.ts';

const Input = z.object({
  model: ModelName,
  events: z.array(z.string()).default([]),
  labels: z.array(z.string()).default([]),
  replace: z.boolean().default(false),
});

/** A line for every partition would be too many. */
const REPORT_EVERY = 50;
/** Admission takes a second or two per partition, many at once; what takes longer has met something. */
const PATIENCE_MS = 180_000;

export const run: Run = async (context) => {
  const { model, replace, ...given } = context.input(Input);
  if (given.events.length + given.labels.length === 0)
    throw new UsageError('no files: name some by --events <files...> or --labels <files...>');
  const cloud = context.cloud(context.environment(['dev', 'staging', 'prod']));
  const definition = await compileModel(await modelFolder(context, model));
  const landing: Landing = { s3: cloud.s3, bucket: cloud.names.landingBucket, definition };
  const partitions = [
    ...(await partitionsIn('events', given.events, context)),
    ...(await partitionsIn('labels', given.labels, context)),
  ];
  for (const partition of partitions) {
    const others = await otherFiles(landing, partition).catch((error: unknown) =>
      notDeployed(cloud.environment, error),
    );
    if (others.length === 0) continue;
    if (!replace)
      refuse(
        'partition-replaced',
        `${partition.kind} of ${partition.day} has other files in ${landing.bucket}: ${others.join(', ')}`,
        'name these files as well, or take them out by --replace',
      );
    await removeFiles(landing, others);
  }
  const since = context.now();
  const { progress: result, left } = await landAll(landing, partitions, ({ done, total }) => {
    if (done % REPORT_EVERY === 0 || done === total) context.note(`  ${done} of ${total} partitions`);
  });
  const missing = context.wait ? await awaitAdmission(context, cloud, definition, partitions, { since, left }) : [];
  refuseUnadmitted(missing, { model, environment: cloud.environment, total: partitions.length });
  context.print({
    data: { model, environment: cloud.environment, ...result, admitted: context.wait },
    sections: [
      {
        lines: [
          `${result.total} partitions lie in ${cloud.environment}, ${result.written} of them new or corrected${context.wait ? '; all are admitted' : ''}`,
          `see: gatehouse data list ${model} --env ${cloud.environment}`,
        ],
      },
    ],
  });
};

/** Given files as whole partitions: those of a day are all that the day is to have. */
async function partitionsIn(
  kind: PartitionKind,
  files: readonly string[],
  context: Context,
): Promise<readonly WholePartition[]> {
  if (files.length === 0) return [];
  const days = [...Map.groupBy(byDay(files, context), ({ day }) => day)];
  return Promise.all(
    days.map(async ([day, own]) => {
      const names = own.map(({ file }) => basename(file));
      const twice = names.find((name, index) => names.indexOf(name) !== index);
      if (twice !== undefined) throw new UsageError(`two files of ${kind} of ${day} are called ${twice}: rename one`);
      const wrong = names.find((name) => !name.endsWith('.parquet'));
      if (wrong !== undefined) throw new UsageError(`${wrong} of ${kind} of ${day}: data is *.parquet`);
      const digests: { file: string; sha256: string }[] = [];
      for (const { file } of own.toSorted((a, b) => (a.file < b.file ? -1 : 1))) {
        await mustBeFile(file);
        digests.push({ file, sha256: digestOf(await readFile(file)) });
      }
      return { kind, day, files: digests };
    }),
  );
}

const nameOf = (kind: PartitionKind, day: string): string => `${kind} of ${day}`;

/** A partition that was landed and is not admitted, and why, if it was refused. */
export interface Unadmitted {
  readonly name: string;
  readonly refusal: OpenRefusal | undefined;
}

/** Waits until what was landed is admitted, or the rest of it refused since then; answers what is not admitted. */
export async function awaitAdmission(
  context: Pick<Context, 'note'>,
  cloud: Pick<Cloud, 'ledger' | 'sqs' | 'names' | 'environment'>,
  definition: Pick<ModelDefinition, 'name' | 'events' | 'labels'>,
  partitions: readonly WholePartition[],
  { since, left }: { readonly since: Date; readonly left: readonly WholePartition[] },
  patienceMs = PATIENCE_MS,
): Promise<readonly Unadmitted[]> {
  const model = definition.name;
  context.note(`waiting for the admission of ${partitions.length} partitions`);
  let missing = await unadmitted(cloud.ledger, model, partitions);
  // What lay there as it is and was not admitted: nothing was written that would have admission look again.
  const again = left.filter(({ kind, day }) => missing.some(({ name }) => name === nameOf(kind, day)));
  await readmit(
    cloud,
    again.map(({ kind, day }) => `${definition[kind].source}/dt=${day}/${definition[kind].readyMarker}`),
  );
  const inspect = async (): Promise<'decided' | 'fewer' | undefined> => {
    const before = missing.length;
    missing = await unadmitted(cloud.ledger, model, partitions);
    // An older refusal may be of the files that these replace.
    const isDecided = missing.every(
      ({ refusal }) => refusal !== undefined && Date.parse(refusal.since) >= since.getTime(),
    );
    if (isDecided) return 'decided';
    return missing.length < before ? 'fewer' : undefined;
  };
  const goesOn = `the files have landed, and admission goes on; see: gatehouse data list ${model} --env ${cloud.environment}`;
  await interruptibly(goesOn, async (signal) => {
    // As long as admission moves on, it is waited for.
    while ((await poll(inspect, patienceMs, signal)) === 'fewer')
      if (missing.length % REPORT_EVERY === 0) context.note(`  ${missing.length} to be admitted`);
  });
  return missing;
}

/** The partitions whose files are not those that are admitted, with the refusals that stand against them. */
export async function unadmitted(
  ledger: Cloud['ledger'],
  model: string,
  partitions: readonly WholePartition[],
): Promise<readonly Unadmitted[]> {
  const admitted = new Map<string, AdmittedPartition>();
  for (const kind of new Set(partitions.map((partition) => partition.kind)))
    for (const partition of await readPartitions(ledger, model, kind))
      admitted.set(`${kind} ${partition.day}`, partition);
  const refusals = new Map((await readOpenRefusals(ledger, model)).map((each) => [`${each.kind} ${each.day}`, each]));
  return partitions.flatMap(({ kind, day, files }) => {
    const has = admitted.get(`${kind} ${day}`)?.objects.map(({ sha256 }) => sha256) ?? [];
    return files.length === has.length && files.every(({ sha256 }) => has.some((each) => each === sha256))
      ? []
      : [{ name: nameOf(kind, day), refusal: refusals.get(`${kind} ${day}`) }];
  });
}

/** Ends the command where something was not admitted: with the cause of the first that was refused. */
export function refuseUnadmitted(
  missing: readonly Unadmitted[],
  about: { readonly model: string; readonly environment: string; readonly total: number },
): void {
  if (missing.length === 0) return;
  const { model, environment, total } = about;
  const names = missing.map(({ name }) => name);
  const said = `${missing.length} of ${total} partitions are not admitted: ${names.slice(0, 5).join(', ')}`;
  const first = missing.find(({ refusal }) => refusal !== undefined);
  if (first?.refusal === undefined)
    refuse('data-admitted', said, `look again in a few minutes: gatehouse status ${model}; see docs/runbook.md`);
  const { rule, found, remedy } = first.refusal;
  throw new RefusedError({
    rule,
    found: `${found}; ${said}`,
    remedy: `${remedy}; all causes: gatehouse data check ${model} --env ${environment}`,
  });
}
