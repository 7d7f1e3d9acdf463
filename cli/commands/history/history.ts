import { z } from 'zod';
import { ModelName } from '#domain/model/definition.ts';
import { readRecords } from '#read-model/chain.ts';
import type { Run } from '../../context.ts';
import { runsOf, runsReport } from './runs.ts';
import { historyOf, historyReport } from './view.ts';

export const run: Run = async (context) => {
  const { model } = context.input(z.object({ model: ModelName }));
  const environment = context.environment(['dev', 'staging', 'prod']);
  const records = (await readRecords(context.cloud(environment).ledger, model)).map(({ record }) => record);
  // Dev serves nobody: what it has a history of is runs.
  context.print(
    environment === 'dev' ? runsReport(model, runsOf(records)) : historyReport(model, environment, historyOf(records)),
  );
};
