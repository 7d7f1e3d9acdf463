import { z } from 'zod';
import { ModelName } from '#domain/model/definition.ts';
import { readRecords } from '#read-model/chain.ts';
import { readRegistrations } from '#read-model/registrations.ts';
import type { Run } from '../../context.ts';
import { shortDigest } from '../../report.ts';
import { blockedSection } from './blocked.ts';
import { causeOf, recordsOf } from './causes.ts';
import { recordedRun } from './find.ts';

export const run: Run = async (context) => {
  const { model, run: name } = context.input(z.object({ model: ModelName, run: z.string() }));
  const cloud = context.cloud(context.environment(['dev', 'staging', 'prod'], 'dev'));
  const item = await recordedRun(cloud, model, name);
  const [registrations, chain] = await Promise.all([
    readRegistrations(cloud.ledger, model),
    readRecords(cloud.ledger, model),
  ]);
  const candidates = registrations.filter((registration) => registration.run === name);
  const records = recordsOf(
    chain.map(({ record }) => record),
    name,
  );
  const causes = records.flatMap(causeOf);
  context.print({
    data: { run: item, candidates, causes, records },
    sections: [
      {
        title: name,
        lines: Object.entries(item)
          .filter(([key]) => key !== 'blocked')
          .map(([key, value]) => `  ${key.padEnd(12)} ${typeof value === 'string' ? value : JSON.stringify(value)}`),
      },
      ...blockedSection(item),
      // What a machine says of its own end is that a state met a fault: the record from before says which, and why.
      ...(causes.length === 0
        ? []
        : [
            {
              title: 'why it ended',
              lines: causes.flatMap(({ seq, code, said }) => said.map((line) => `  record ${seq} ${code}: ${line}`)),
            },
          ]),
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
        rows: records.map((record) => [String(record.seq), record.code, detailLines(record.details).join('\n')]),
      },
    ],
  });
};

/** What a record says, a line for each detail and for each item of a list. */
function detailLines(details: Readonly<Record<string, unknown>>): readonly string[] {
  return Object.entries(details).flatMap(([key, value]) => {
    if (!Array.isArray(value)) return [`${key}: ${typeof value === 'string' ? value : JSON.stringify(value)}`];
    return value.map((item) => `${key}: ${typeof item === 'string' ? item : JSON.stringify(item)}`);
  });
}
