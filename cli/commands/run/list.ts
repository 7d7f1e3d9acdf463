import { z } from 'zod';
import { ModelName } from '#domain/model/definition.ts';
import { readRuns, type Run as RunItem } from '#read-model/runs.ts';
import type { Run } from '../../context.ts';
import { duration, type Report, shortTime } from '../../report.ts';

export const run: Run = async (context) => {
  const { model } = context.input(z.object({ model: ModelName }));
  const environment = context.environment(['dev', 'staging', 'prod'], 'dev');
  context.print(runsReport(model, environment, await readRuns(context.cloud(environment).ledger, model)));
};

/** The runs of a model in an environment. */
export function runsReport(model: string, environment: string, runs: readonly RunItem[]): Report {
  return {
    data: { model, environment, runs },
    sections: [
      {
        title: `${model} in ${environment}`,
        columns: ['run', 'machine', 'status', 'as of', 'trigger', 'began', 'took'],
        rows: runs.map((item) => [
          item.run,
          item.machine,
          item.status,
          item.asOf ?? '-',
          item.trigger ?? '-',
          shortTime(item.startedAt),
          tookOf(item),
        ]),
        empty: environment === 'dev' ? `no run yet; start one: gatehouse run start ${model}` : 'no run yet',
      },
    ],
  };
}

function tookOf({ startedAt, endedAt }: RunItem): string {
  return startedAt === undefined || endedAt === undefined ? '-' : duration(Date.parse(endedAt) - Date.parse(startedAt));
}
