import { z } from 'zod';
import { type AuditRecord, detailsOf } from '#domain/audit/chain.ts';
import type { Digest } from '#domain/canonical/digest.ts';
import { blastRadius } from '#domain/prediction/reconciliation.ts';
import { ModelName } from '#domain/model/definition.ts';
import type { PredictionManifest } from '#domain/prediction/manifest.ts';
import { readRecords } from '#read-model/chain.ts';
import { readPredictions } from '#read-model/predictions.ts';
import type { Run } from '../../context.ts';
import { refuse } from '../../refusal.ts';
import { findRelease, parseReference } from '../../references.ts';
import { type Report, shortDigest, shortTime } from '../../report.ts';

export const run: Run = async (context) => {
  const { model, release: named } = context.input(z.object({ model: ModelName, release: z.string() }));
  const environment = context.environment(['staging', 'prod']);
  const { ledger } = context.cloud(environment);
  const found = await findRelease(context.cloud('dev').ledger, parseReference(named), [model]);
  if (found.model !== model)
    refuse('release-of-model', `${named} is a release of ${found.model}`, `name a release of ${model}`);
  const [manifests, chain] = await Promise.all([readPredictions(ledger, model), readRecords(ledger, model)]);
  const records = chain.map(({ record }) => record);
  context.print(blastRadiusReport(environment, found, manifests, records));
};

/** What a release has written: what readers see of it now, and every run that published it. */
export function blastRadiusReport(
  environment: string,
  { model, release, version }: { readonly model: string; readonly release: Digest; readonly version: string },
  manifests: readonly PredictionManifest[],
  records: readonly AuditRecord[],
): Report {
  const days = blastRadius(manifests, [release]);
  const now = manifests.filter((manifest) => manifest.release === release);
  const runs = records
    .filter((record) => record.code === 'PREDICTIONS_PUBLISHED' && record.release === release)
    .map((record) => ({ at: record.at, record: record.seq, ...detailsOf(record, 'PREDICTIONS_PUBLISHED') }))
    .filter(({ partitions }) => partitions > 0);
  const rowsNow = now.reduce((sum, { rows }) => sum + rows, 0);
  const rowsEver = runs.reduce((sum, { rows }) => sum + rows, 0);
  return {
    data: { model, environment, release, now: { days, rows: rowsNow }, ever: { runs, rows: rowsEver } },
    sections: [
      {
        title: `${model}@${version} (${shortDigest(release)}) in ${environment}`,
        lines: [
          days.length === 0
            ? '  now   clean: no reader sees a prediction of it'
            : `  now   ${days.length} partitions, ${rowsNow} rows: ${days[0] ?? ''} to ${days.at(-1) ?? ''}`,
          `  ever  ${runs.length} runs, ${rowsEver} rows`,
        ],
      },
      {
        title: 'what readers see',
        columns: ['day', 'rows', 'published'],
        rows: now.map(({ day, rows, publishedAt }) => [day, String(rows), shortTime(publishedAt)]),
        empty: 'nothing',
      },
      {
        title: 'runs that published it',
        columns: ['run', 'at', 'partitions', 'rows', 'record'],
        rows: runs.map(({ run: name, at, partitions, rows, record }) => [
          name,
          shortTime(at),
          String(partitions),
          String(rows),
          String(record),
        ]),
        empty: 'none',
      },
    ],
  };
}
