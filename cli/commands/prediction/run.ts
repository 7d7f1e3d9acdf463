import { z } from 'zod';
import { ModelName } from '#domain/model/definition.ts';
import { readRuns } from '#read-model/runs.ts';
import type { Run } from '../../context.ts';
import { followToSuccess, freshName, operator, startExecution, statesSection } from '../../executions.ts';
import { blockedSection, refuseBlocked } from '../run/blocked.ts';
import { planReport } from './plan.ts';

export const run: Run = async (context) => {
  const { model, dryRun } = context.input(z.object({ model: ModelName, dryRun: z.boolean().default(false) }));
  const cloud = context.cloud(context.environment(['staging', 'prod']));
  if (dryRun) {
    context.print(await planReport(cloud, model, context.now()));
    return;
  }
  const name = freshName(model, 'batch-manual');
  const arn = await startExecution(cloud, 'batch-inference', name, {
    model,
    run: name,
    trigger: await operator(cloud),
  });
  context.note(`run ${name} has begun`);
  if (!context.wait) {
    context.print({
      data: { model, run: name, arn },
      sections: [
        {
          lines: [
            `follow it: gatehouse run watch ${model} ${name} --machine batch-inference --env ${cloud.environment}`,
          ],
        },
      ],
    });
    return;
  }
  const view = await followToSuccess(context, cloud, arn, model);
  const recorded = (await readRuns(cloud.ledger, model)).find((item) => item.run === name);
  context.print({
    data: { model, run: name, recorded, states: view.states },
    sections: [
      {
        title: `${name}: ${recorded?.status ?? view.status}, ${recorded?.published ?? 0} partitions, ${recorded?.rows ?? 0} rows, ${recorded?.carried ?? 0} of them carried over`,
        ...statesSection(view.progress),
      },
      ...blockedSection(recorded),
    ],
  });
  refuseBlocked(model, cloud.environment, recorded);
};
