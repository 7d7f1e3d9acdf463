import { z } from 'zod';
import { ModelName } from '#domain/model/definition.ts';
import type { Run } from '../../context.ts';
import { chainOf } from '../../read.ts';
import { historyOf, historyReport } from './view.ts';

export const run: Run = async (context) => {
  const { model } = context.input(z.object({ model: ModelName }));
  const environment = context.environment(['staging', 'prod']);
  const records = await chainOf(context.cloud(environment).ledger, model);
  context.print(historyReport(model, environment, historyOf(records.map(({ record }) => record))));
};
