import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { landPartitions } from '#adapters/aws/partition-upload.ts';
import { addDays } from '#domain/data/partition.ts';
import { Day, ModelName } from '#domain/model/definition.ts';
import { compileModel } from '#model/compile.ts';
import { importDefinition } from '#model/import-definition.ts';
import type { Replay } from '#model/replay.ts';
import { notDeployed } from '../../cloud.ts';
import type { Run } from '../../context.ts';
import { refuse } from '../../refusal.ts';
import { readmit, readyMarkers } from '../../landing.ts';
import { modelFolder } from '../../references.ts';

const Input = z.object({
  model: ModelName,
  replay: z.boolean().optional(),
  until: Day.optional(),
  sample: z.coerce.number().gt(0, 'above 0 and at most 1').max(1, 'above 0 and at most 1').default(1),
});

/** A line for every partition would be too many. */
const REPORT_EVERY = 50;

export const run: Run = async (context) => {
  const { model, replay, until, sample } = context.input(Input);
  const cloud = context.cloud(context.environment(['dev', 'staging', 'prod']));
  const folder = await modelFolder(context, model);
  const definition = await compileModel(folder);
  if (replay !== true) {
    const markers = await readyMarkers(cloud, definition);
    if (markers.length === 0)
      refuse(
        'data-landed',
        `no ready marker in ${cloud.names.landingBucket}`,
        `write an empty object after each day's files: ${[definition.events, definition.labels].map(({ source, readyMarker }) => `${source}/dt=YYYY-MM-DD/${readyMarker}`).join(' and ')}`,
      );
    await readmit(cloud, markers);
    context.print({
      data: { model, markers },
      sections: [
        {
          lines: [
            `sent ${markers.length} ready markers to admission; see: gatehouse data list ${model} --env ${cloud.environment}`,
          ],
        },
      ],
    });
    return;
  }
  const source = await loadReplay(folder, model);
  const partitions = await source.prepare({ folder: join(context.home, 'replay', model), sample });
  const last =
    until ??
    addDays(
      partitions.map(({ day }) => day).reduce((a, b) => (a > b ? a : b), '1970-01-01'),
      1,
    );
  const result = await landPartitions({
    s3: cloud.s3,
    bucket: cloud.names.landingBucket,
    definition,
    partitions,
    until: last,
    onProgress: ({ done, total }) => {
      if (done % REPORT_EVERY === 0 || done === total) context.note(`  ${done} of ${total} partitions`);
    },
  }).catch((error: unknown) => notDeployed(cloud.environment, error));
  context.print({
    data: { model, environment: cloud.environment, until: last, ...result },
    sections: [
      {
        lines: [
          `${result.total} partitions until ${last} lie in ${cloud.environment}, ${result.written} of them new or corrected`,
        ],
      },
    ],
  });
};

const Module = z.looseObject({
  replay: z.custom<Replay>((value) => typeof value === 'object' && value !== null && 'prepare' in value),
});

export async function loadReplay(folder: string, model: string): Promise<Replay> {
  const file = join(folder, 'replay.ts');
  const isThere = await stat(file).then(
    () => true,
    () => false,
  );
  if (!isThere)
    refuse(
      'replay-known',
      `models/${model} has no replay.ts`,
      'leave --replay out: what lies in the landing bucket is admitted',
    );
  const module = await importDefinition(file);
  const parsed = Module.safeParse(module);
  return parsed.success
    ? parsed.data.replay
    : refuse('replay-known', `models/${model}/replay.ts exports no replay`, 'export const replay: Replay = { ... }');
}
