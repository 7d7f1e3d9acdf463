import { z } from 'zod';
import { predictionDigest } from '#domain/data/feature-work.ts';
import { Day, ModelName } from '#domain/model/definition.ts';
import { rowsThatCount } from '#domain/prediction/reading.ts';
import { readPredictions } from '#read-model/predictions.ts';
import type { Run } from '../../context.ts';
import { refuse } from '../../refusal.ts';
import { shortDigest, shortTime } from '../../report.ts';
import { checkReading, namedRelease, servedIn } from './read.ts';

export const run: Run = async (context) => {
  const { model, entity, day, release } = context.input(
    z.object({ model: ModelName, entity: z.string().min(1), day: Day.optional(), release: z.string().optional() }),
  );
  const cloud = context.cloud(context.environment(['staging', 'prod']));
  const served = await servedIn(cloud, model);
  if (served.definition.predictions.lookup !== true)
    refuse(
      'predictions-looked-up',
      `${model}@${served.pointer.version} publishes no rows for look-up`,
      `set predictions.lookup to true in models/${model}/model.ts, and release that`,
    );
  const wanted = await namedRelease(context, model, release);
  // The manifests before the rows: what a manifest names was put before it was named, so that no row of it is missed.
  const manifests = new Map((await readPredictions(cloud.ledger, model)).map((manifest) => [manifest.day, manifest]));
  const found = (await cloud.rows.of(model, entity)).filter((row) => day === undefined || row.day === day);
  const named = new Map(
    [...manifests.values()].map((each) => [each.day, predictionDigest(each.features, each.release, each.scorer)]),
  );
  const rows = rowsThatCount(found, named);
  for (const of of new Set(rows.map((row) => row.day)))
    await checkReading(context, cloud, served, of, manifests.get(of), wanted);
  context.print({
    data: { model, environment: cloud.environment, entity, served: served.pointer.current, rows },
    sections: [
      {
        title: `${entity} by ${model}@${served.pointer.version} in ${cloud.environment}: ${rows.length} predictions`,
        columns: ['day', 'row', 'prediction', 'release', 'published'],
        rows: rows.map((row) => [
          row.day,
          row.row,
          row.prediction.toFixed(6),
          shortDigest(row.release),
          shortTime(manifests.get(row.day)?.publishedAt),
        ]),
        empty: `nothing is published of ${entity}${day === undefined ? '' : ` on ${day}`}`,
      },
    ],
  });
};
