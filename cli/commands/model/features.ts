import { join } from 'node:path';
import { z } from 'zod';
import { measureLabelJoins } from '#adapters/duckdb/label-joins.ts';
import { joinText } from '#domain/data/label-joins.ts';
import { Day, ModelName } from '#domain/model/definition.ts';
import { compileModel } from '#model/compile.ts';
import type { Run } from '../../context.ts';
import { modelFolder } from '../../references.ts';
import { shortDigest } from '../../report.ts';
import { buildLocally, byDay, filesOf, localCatalogue } from './local-features.ts';

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
  const [eventDays, labelDays] = [
    await localCatalogue('events', byDay(events, context)),
    await localCatalogue('labels', byDay(labels, context)),
  ];
  const newest = eventDays.at(-1)?.day;
  const target = out ?? join(context.home, 'features', name);
  const built = await buildLocally(definition, folder, [...eventDays, ...labelDays], [day ?? newest ?? ''], target);
  // Of all days that were given, not of those alone that the features need: whoever trains on them loses the same rows.
  const met = await measureLabelJoins({ events: filesOf(eventDays), labels: filesOf(labelDays), definition });
  context.print({
    data: {
      model: name,
      features: built.map(({ daily: _daily, ...one }) => one),
      joins: met.kind === 'measured' ? met.joins : null,
    },
    sections: [
      {
        title: `${name}: ${definition.features.columns.length} features`,
        columns: ['day', 'rows', 'sha256', 'file'],
        rows: built.map((one) => [one.day, String(one.rows), shortDigest(one.sha256), one.file]),
      },
      {
        title: 'labels and events',
        lines: [
          met.kind === 'measured'
            ? `  ${joinText(met.joins)}`
            : `  not looked at: ${met.refusal.rule}: ${met.refusal.found}; ${met.refusal.remedy}`,
        ],
      },
    ],
  });
};
