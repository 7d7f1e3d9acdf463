import { z } from 'zod';
import type { AuditRecord } from '#domain/audit/chain.ts';
import { ModelName } from '#domain/model/definition.ts';
import type { Run } from '../../context.ts';
import { chainOf, registrationsOf } from '../../read.ts';
import { shortDigest } from '../../report.ts';
import { findRun } from './find.ts';

/** The records of a run and of the executions that its own records name: a machine that it started says why it failed. */
function recordsOf(chain: readonly AuditRecord[], name: string): readonly AuditRecord[] {
  const said = chain
    .filter(({ details }) => details['run'] === name)
    .map(({ details }) => JSON.stringify(details))
    .join();
  return chain.filter(({ details: { run: of } }) => of === name || (typeof of === 'string' && said.includes(of)));
}

const Cause = z.union([
  z.object({ reasons: z.array(z.string()).min(1) }).transform(({ reasons }) => reasons),
  z.object({ state: z.string(), error: z.string() }).transform(({ state, error }) => [`${state}: ${error}`]),
]);

/** What a record says of why something was refused or failed; nothing where it says of no such thing. */
function causeOf({ seq, code, details }: AuditRecord) {
  const said = Cause.safeParse(details);
  return said.success ? [{ seq, code, said: said.data }] : [];
}

export const run: Run = async (context) => {
  const { model, run: name } = context.input(z.object({ model: ModelName, run: z.string() }));
  const cloud = context.cloud(context.environment(['dev', 'staging', 'prod'], 'dev'));
  const item = await findRun(cloud, model, name);
  const [registrations, chain] = await Promise.all([
    registrationsOf(cloud.ledger, model),
    chainOf(cloud.ledger, model),
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
        lines: Object.entries(item).map(
          ([key, value]) => `  ${key.padEnd(12)} ${typeof value === 'string' ? value : JSON.stringify(value)}`,
        ),
      },
      // What a machine says of its own end is that a state met a fault: the record from before says which, and why.
      ...(causes.length === 0
        ? []
        : [
            {
              title: 'why it ended so',
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
        rows: records.map((record) => [String(record.seq), record.code, JSON.stringify(record.details).slice(0, 160)]),
      },
    ],
  });
};
