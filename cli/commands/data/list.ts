import { z } from 'zod';
import { type AdmittedPartition, PartitionKind } from '#domain/data/partition.ts';
import { type WaitingDay, waitingDays } from '#domain/data/waiting-days.ts';
import { ModelName } from '#domain/model/definition.ts';
import { compileModel } from '#model/compile.ts';
import { readPartitions } from '#read-model/partitions.ts';
import { GatehouseError } from '#domain/error.ts';
import type { Cloud } from '../../cloud.ts';
import type { Context, Run } from '../../context.ts';
import { RefusedError } from '../../refusal.ts';
import { landedObjects } from '../../landing.ts';
import { modelFolder, mustBeKnown } from '../../references.ts';
import { duration, type Report, type Section, shortDigest, shortTime } from '../../report.ts';

export const run: Run = async (context) => {
  const { model, kind } = context.input(z.object({ model: ModelName, kind: PartitionKind.optional() }));
  const cloud = context.cloud(context.environment(['dev', 'staging', 'prod'], 'dev'));
  await mustBeKnown(context, model, cloud.environment);
  // Whoever may read the ledger alone, or has another checkout, sees what is admitted all the same.
  const landing = await landingOf(context, cloud, model);
  const kinds = kind === undefined ? PartitionKind.options : [kind];
  const found = await Promise.all(
    kinds.map(async (each) => {
      // After the landing bucket: what is admitted in between was written before.
      const partitions = await readPartitions(cloud.ledger, model, each);
      if (landing === undefined) return { partitions, waiting: [] };
      return { partitions, waiting: waitingDays(each, landing.definition[each], landing[each], partitions) };
    }),
  );
  const about = { model, environment: cloud.environment, bucket: cloud.names.landingBucket, now: context.now() };
  context.print(
    partitionsReport(
      about,
      found.flatMap(({ partitions }) => partitions),
      landing === undefined ? null : found.flatMap(({ waiting }) => waiting),
    ),
  );
};

/** What lies in the landing bucket, with the definition that says where; undefined, with a remark, where it cannot be known. */
async function landingOf(context: Context, cloud: Cloud, model: string) {
  try {
    const definition = await compileModel(await modelFolder(context, model));
    const [events, labels] = await Promise.all([
      landedObjects(cloud, definition.events),
      landedObjects(cloud, definition.labels),
    ]);
    return { definition, events, labels };
  } catch (error) {
    if (!(error instanceof RefusedError) && !(error instanceof GatehouseError)) throw error;
    context.note(`days that landed and wait for their marker are not listed: ${error.message}`);
    return undefined;
  }
}

interface About {
  readonly model: string;
  readonly environment: string;
  readonly bucket: string;
  readonly now: Date;
}

/** The admitted partitions as a table, and the landed days that wait for their marker; null where these cannot be known. */
export function partitionsReport(
  { model, environment, bucket, now }: About,
  partitions: readonly AdmittedPartition[],
  waiting: readonly WaitingDay[] | null,
): Report {
  return {
    data: { model, environment, partitions, bucket, waiting },
    sections: [
      {
        title: `${model} in ${environment}`,
        columns: ['kind', 'day', 'version', 'digest', 'files', 'bytes', 'admitted'],
        rows: partitions.map(({ kind, day, version, digest, objects, admittedAt }) => [
          kind,
          day,
          String(version),
          shortDigest(digest),
          String(objects.length),
          String(objects.reduce((sum, { size }) => sum + size, 0)),
          shortTime(admittedAt),
        ]),
        empty: `nothing was admitted; bring some: gatehouse data import ${model} --env ${environment}`,
      },
      ...waitingSections({ model, environment, bucket, now }, waiting ?? []),
    ],
  };
}

function waitingSections(
  { model, environment, bucket, now }: About,
  waiting: readonly WaitingDay[],
): readonly Section[] {
  const [first] = waiting;
  if (first === undefined) return [];
  return [
    {
      title: 'landed, and not admitted before the ready marker is written after them',
      columns: ['kind', 'day', 'why', 'files', 'last written', 'age'],
      rows: waiting.map(({ kind, day, why, files, since }) => [
        kind,
        day,
        why,
        String(files),
        shortTime(since),
        duration(Math.max(0, now.getTime() - Date.parse(since))),
      ]),
    },
    {
      lines: [
        'once all files of a day are there, have its producer write the marker, or write it:',
        `  aws s3api put-object --bucket ${bucket} --key ${first.marker}`,
        'files on this machine are landed with their marker:',
        `  gatehouse data put ${model} --env ${environment} --${first.kind} <files of dt=${first.day}>`,
      ],
    },
  ];
}
