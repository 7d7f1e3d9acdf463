import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { Day, ModelName } from '#domain/model/definition.ts';
import { compileModel } from '#model/compile.ts';
import type { Replay } from '#model/replay.ts';
import { refuse, type Run } from '../../context.ts';
import { landPartitions, readmit, readyMarkers } from '../../landing.ts';
import { modelFolder } from '../../references.ts';

const Input = z.object({
  model: ModelName,
  replay: z.boolean().optional(),
  until: Day.optional(),
  sample: z.coerce.number().gt(0, 'above 0 and at most 1').max(1, 'above 0 and at most 1').default(1),
});

/** Admission needs a moment for each; a line for every one of them would be too many. */
const REPORT_EVERY = 50;

export const run: Run = async (context) => {
  const { model, replay, until, sample } = context.input(Input);
  const cloud = context.cloud(context.environment(['dev', 'staging', 'prod']));
  const folder = await modelFolder(context, model);
  const definition = await compileModel(folder);
  if (replay !== true) {
    const markers = await readyMarkers(cloud, definition);
    if (markers.length === 0) refuse('data-landed', `no ready marker below ${definition.events.source} or ${definition.labels.source} in ${cloud.names.landingBucket}`, 'let the producer write partitions and their ready markers');
    await readmit(cloud, markers);
    context.print({ data: { model, markers }, sections: [{ lines: [`sent ${markers.length} ready markers to admission; see: gatehouse data list ${model} --env ${cloud.environment}`] }] });
    return;
  }
  const source = await loadReplay(folder, model);
  const all = await source.prepare({ folder: join(context.home, 'replay', model), sample });
  const partitions = all.filter(({ day }) => until === undefined || day <= until);
  const result = await landPartitions(cloud, definition, partitions, (done, landed) => {
    if (done % REPORT_EVERY === 0 || done === partitions.length) context.note(`  ${done} of ${partitions.length} partitions, ${landed} new`);
  });
  context.print({
    data: { model, environment: cloud.environment, ...result },
    sections: [{ lines: [`landed ${result.landed} partitions in ${cloud.environment}; ${result.unchanged} were there already`] }],
  });
};

const Module = z.looseObject({ replay: z.custom<Replay>((value) => typeof value === 'object' && value !== null && 'prepare' in value) });

async function loadReplay(folder: string, model: string): Promise<Replay> {
  const file = join(folder, 'replay.ts');
  const isThere = await stat(file).then(
    () => true,
    () => false,
  );
  if (!isThere) refuse('replay-known', `models/${model} has no replay.ts`, 'leave --replay out: what lies in the landing bucket is admitted');
  const module: unknown = await import(pathToFileURL(file).href);
  const parsed = Module.safeParse(module);
  return parsed.success ? parsed.data.replay : refuse('replay-known', `models/${model}/replay.ts exports no replay`, 'export const replay: Replay = { ... }');
}
