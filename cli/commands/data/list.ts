import { z } from 'zod';
import { type AdmittedPartition, PartitionKind } from '#domain/data/partition.ts';
import { ModelName } from '#domain/model/definition.ts';
import type { Run } from '../../context.ts';
import { partitionsOf } from '../../read.ts';
import { type Report, shortDigest, shortTime } from '../../report.ts';

export const run: Run = async (context) => {
  const { model, kind } = context.input(z.object({ model: ModelName, kind: PartitionKind.optional() }));
  const environment = context.environment(['dev', 'staging', 'prod'], 'dev');
  const { ledger } = context.cloud(environment);
  const kinds = kind === undefined ? PartitionKind.options : [kind];
  const partitions = await Promise.all(kinds.map((each) => partitionsOf(ledger, model, each)));
  context.print(partitionsReport(model, environment, partitions.flat()));
};

/** The admitted partitions as a table. */
export function partitionsReport(model: string, environment: string, partitions: readonly AdmittedPartition[]): Report {
  return {
    data: { model, environment, partitions },
    sections: [
      {
        title: `${model} in ${environment}`,
        columns: ['kind', 'day', 'version', 'digest', 'files', 'bytes', 'admitted'],
        rows: partitions.map(({ kind, day, version, digest, objects, admittedAt }) => [
          kind,
          day,
          String(version),
          shortDigest(digest),
          String(objects.length),
          String(objects.reduce((sum, { size }) => sum + size, 0)),
          shortTime(admittedAt),
        ]),
        empty: `nothing was admitted; bring some: gatehouse data import ${model} --env ${environment}`,
      },
    ],
  };
}
