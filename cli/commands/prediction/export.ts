import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, extname, join, resolve } from 'node:path';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { z } from 'zod';
import { fileLiteral, literal, numberOf, withDatabase } from '#adapters/duckdb/database.ts';
import { digestOf } from '#domain/canonical/digest.ts';
import { GatehouseError } from '#domain/error.ts';
import { Day, ModelName } from '#domain/model/definition.ts';
import type { PredictionManifest } from '#domain/prediction/manifest.ts';
import { readPartition } from '#domain/prediction/reading.ts';
import { readPredictions } from '#read-model/predictions.ts';
import type { Cloud } from '../../cloud.ts';
import type { Run } from '../../context.ts';
import { refuse, UsageError } from '../../refusal.ts';
import { namedRelease, servedIn } from './read.ts';

const Input = z.object({
  model: ModelName,
  from: Day,
  to: Day,
  out: z.string().min(1),
  release: z.string().optional(),
});
/** How a file is written, by its name. */
const FORMATS: Readonly<Record<string, string>> = {
  '.parquet': 'FORMAT parquet, COMPRESSION zstd',
  '.csv': 'FORMAT csv, HEADER',
};
/** A line for every partition would be too many. */
const REPORT_EVERY = 20;

export const run: Run = async (context) => {
  const { model, from, to, out, release } = context.input(Input);
  const format = FORMATS[extname(out)];
  if (format === undefined) throw new UsageError(`--out ${out}: name a file *.parquet or *.csv`);
  if (from > to) throw new UsageError(`--from ${from} is after --to ${to}`);
  const cloud = context.cloud(context.environment(['staging', 'prod']));
  const { pointer } = await servedIn(cloud, model);
  const wanted = (await namedRelease(context, model, release)) ?? pointer.current;
  const manifests = (await readPredictions(cloud.ledger, model)).filter(({ day }) => day >= from && day <= to);
  if (manifests.length === 0)
    refuse(
      'predictions-published',
      `no predictions of ${from} to ${to} are published in ${cloud.environment}`,
      `see what a batch run would do: gatehouse prediction plan ${model} --env ${cloud.environment}`,
    );
  // A file holds one release, or it is not written: half of a batch run is nobody's predictions.
  const others = manifests.filter(
    (manifest) =>
      readPartition(manifest, { day: manifest.day, release: wanted, served: pointer.current, onMismatch: 'refuse' })
        .kind !== 'published',
  );
  if (others.length > 0)
    refuse(
      'prediction-release',
      `${others.length} of ${manifests.length} days are of another release than ${wanted}: ${others
        .slice(0, 5)
        .map((each) => each.day)
        .join(', ')}`,
      `wait for the batch run, or start one: gatehouse prediction run ${model} --env ${cloud.environment}`,
    );
  const target = resolve(out);
  const rows = await exported(cloud, manifests, target, format, (done) => {
    if (done % REPORT_EVERY === 0 || done === manifests.length)
      context.note(`  ${done} of ${manifests.length} partitions`);
  });
  const [first, last] = [manifests[0]?.day, manifests.at(-1)?.day];
  context.print({
    data: {
      model,
      environment: cloud.environment,
      release: wanted,
      from: first,
      to: last,
      days: manifests.length,
      rows,
      file: target,
    },
    sections: [
      {
        lines: [
          `${rows} predictions of ${manifests.length} days, ${first} to ${last}, by ${model}@${pointer.version}: ${target}`,
          `columns: row_id, prediction, day, model_release`,
        ],
      },
    ],
  });
};

/** Writes the rows of some partitions as one file, which has its name when it is whole; answers how many. */
async function exported(
  cloud: Cloud,
  manifests: readonly PredictionManifest[],
  target: string,
  format: string,
  onPartition: (done: number) => void,
): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-export-'));
  try {
    const reads: string[] = [];
    for (const { day, object, release } of manifests) {
      const { Body: body } = await cloud.s3.send(
        new GetObjectCommand({ Bucket: object.bucket, Key: object.key, VersionId: object.versionId }),
      );
      const content = (await body?.transformToByteArray()) ?? new Uint8Array();
      if (digestOf(content) !== object.sha256)
        throw new GatehouseError(
          'PREDICTIONS_DAMAGED',
          `${object.bucket}/${object.key} is not the file that was published for ${day}`,
          { day },
        );
      const file = join(folder, `${day}.parquet`);
      await writeFile(file, content);
      reads.push(
        `SELECT row_id, prediction, DATE ${literal(day)} AS day, ${literal(release)} AS model_release
         FROM read_parquet(${fileLiteral(file)}, hive_partitioning = false)`,
      );
      onPartition(reads.length);
    }
    const partial = join(dirname(target), `.${process.pid}.partial`);
    try {
      const rows = await withDatabase('1GB', (connection) =>
        numberOf(connection, `COPY (${reads.join(' UNION ALL ')}) TO ${literal(partial)} (${format})`),
      );
      await rename(partial, target);
      return rows;
    } finally {
      await rm(partial, { force: true });
    }
  } finally {
    await rm(folder, { recursive: true });
  }
}
