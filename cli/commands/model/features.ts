import { join } from 'node:path';
import { z } from 'zod';
import { Day, ModelName } from '#domain/model/definition.ts';
import { compileModel } from '#model/compile.ts';
import type { Run } from '../../context.ts';
import { modelFolder } from '../../references.ts';
import { shortDigest } from '../../report.ts';
import { buildLocally, byDay, localCatalogue } from './local-features.ts';

const Input = z.object({
  name: ModelName,
  events: z.array(z.string()).min(1),
  labels: z.array(z.string()).min(1),
  day: Day.optional(),
  out: z.string().optional(),
});

export const run: Run = async (context) => {
  const { name, events, labels, day, out } = context.input(Input);
  const folder = await modelFolder(context, name);
  const definition = await compileModel(folder);
  const partitions = [
    ...(await localCatalogue('events', byDay(events))),
    ...(await localCatalogue('labels', byDay(labels))),
  ];
  const newest = partitions.findLast(({ kind }) => kind === 'events')?.day;
  const target = out ?? join(context.home, 'features', name);
  const built = await buildLocally(definition, folder, partitions, [day ?? newest ?? ''], target);
  context.print({
    data: { model: name, features: built },
    sections: [
      {
        title: `${name}: ${definition.features.columns.length} features`,
        columns: ['day', 'rows', 'sha256', 'file'],
        rows: built.map((one) => [one.day, String(one.rows), shortDigest(one.sha256), one.file]),
      },
    ],
  });
};
