import { z } from 'zod';
import { ModelName } from '#domain/model/definition.ts';
import type { Run } from '../../context.ts';
import { chainOf, registrationsOf } from '../../read.ts';
import { shortDigest } from '../../report.ts';
import { findRun } from './find.ts';

export const run: Run = async (context) => {
  const { model, run: name } = context.input(z.object({ model: ModelName, run: z.string() }));
  const cloud = context.cloud(context.environment(['dev', 'staging', 'prod'], 'dev'));
  const item = await findRun(cloud, model, name);
  const [registrations, chain] = await Promise.all([
    registrationsOf(cloud.ledger, model),
    chainOf(cloud.ledger, model),
  ]);
  const candidates = registrations.filter((registration) => registration.run === name);
  const records = chain.map(({ record }) => record).filter((record) => record.details['run'] === name);
  context.print({
    data: { run: item, candidates, records },
    sections: [
      {
        title: name,
        lines: Object.entries(item).map(
          ([key, value]) => `  ${key.padEnd(12)} ${typeof value === 'string' ? value : JSON.stringify(value)}`,
        ),
      },
      {
        title: 'candidates',
        columns: ['version', 'release', 'window', 'metrics'],
        rows: candidates.map(({ version, release, window, metrics }) => [
          version,
          shortDigest(release),
          window,
          Object.entries(metrics)
            .map(([metric, value]) => `${metric} ${value.toPrecision(4)}`)
            .join(', '),
        ]),
        empty: 'it registered no release',
      },
      {
        title: 'audit records',
        columns: ['record', 'code', 'details'],
        rows: records.map((record) => [String(record.seq), record.code, JSON.stringify(record.details).slice(0, 160)]),
      },
    ],
  });
};
