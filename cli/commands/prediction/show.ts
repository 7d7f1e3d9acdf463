import { z } from 'zod';
import { Day, ModelName } from '#domain/model/definition.ts';
import type { PredictionManifest } from '#domain/prediction/manifest.ts';
import { readPointer } from '#read-model/pointer.ts';
import { readFence, readPredictions } from '#read-model/predictions.ts';
import type { Run } from '../../context.ts';
import { UsageError } from '../../refusal.ts';
import { type Report, shortDigest, shortTime } from '../../report.ts';
import { namedRelease, partitionFor, servedIn } from './read.ts';

export const run: Run = async (context) => {
  const { model, day, release } = context.input(
    z.object({ model: ModelName, day: Day.optional(), release: z.string().optional() }),
  );
  const environment = context.environment(['staging', 'prod']);
  const cloud = context.cloud(environment);
  const { ledger } = cloud;
  if (day !== undefined) {
    const served = await servedIn(cloud, model);
    const manifest = await partitionFor(context, cloud, served, day, await namedRelease(context, model, release));
    context.print(predictionsReport(model, environment, served.pointer.current, [manifest], null));
    return;
  }
  if (release !== undefined) throw new UsageError('--release needs --day: a partition is compared with it');
  const [pointer, manifests, fence] = await Promise.all([
    readPointer(ledger, model),
    readPredictions(ledger, model),
    readFence(ledger, model),
  ]);
  context.print(predictionsReport(model, environment, pointer?.current, manifests, fence?.running ?? null));
};

/** The published partitions, and which of them are not the served release's. */
export function predictionsReport(
  model: string,
  environment: string,
  served: string | undefined,
  manifests: readonly PredictionManifest[],
  running: string | null,
): Report {
  const rows = manifests.reduce((sum, manifest) => sum + manifest.rows, 0);
  return {
    data: { model, environment, served: served ?? null, running, partitions: manifests },
    sections: [
      {
        title: `${model} in ${environment}: ${manifests.length} partitions, ${rows} rows${running === null ? '' : `, ${running} is at work`}`,
        columns: ['day', 'rows', 'carried', 'release', 'served', 'features', 'run', 'published'],
        rows: manifests.map(({ day, rows: count, lineage, release, features, run: of, publishedAt }) => [
          day,
          String(count),
          String(lineage?.carried ?? 0),
          shortDigest(release),
          release === served ? 'yes' : 'NO',
          shortDigest(features),
          of,
          shortTime(publishedAt),
        ]),
        empty: `no predictions are published; make some: gatehouse prediction run ${model} --env ${environment}`,
      },
    ],
  };
}
