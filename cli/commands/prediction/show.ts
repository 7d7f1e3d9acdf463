import { z } from 'zod';
import { ModelName } from '#domain/model/definition.ts';
import type { PredictionManifest } from '#domain/prediction/manifest.ts';
import type { Run } from '../../context.ts';
import { fenceOf, pointerOf, predictionsOf } from '../../read.ts';
import { type Report, shortDigest, shortTime } from '../../report.ts';

export const run: Run = async (context) => {
  const { model } = context.input(z.object({ model: ModelName }));
  const environment = context.environment(['staging', 'prod']);
  const { ledger } = context.cloud(environment);
  const [pointer, manifests, fence] = await Promise.all([
    pointerOf(ledger, model),
    predictionsOf(ledger, model),
    fenceOf(ledger, model),
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
        columns: ['day', 'rows', 'release', 'served', 'features', 'run', 'published'],
        rows: manifests.map(({ day, rows: count, release, features, run: of, publishedAt }) => [
          day,
          String(count),
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
