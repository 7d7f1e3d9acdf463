import { readRuns } from '#read-model/runs.ts';
import type { Run } from '../../context.ts';
import { followExecution, statesSection } from '../../executions.ts';
import { blockedSection, refuseBlocked } from './blocked.ts';
import { mustHaveEndedWell } from './ending.ts';
import { namedExecution } from './find.ts';

export const run: Run = async (context) => {
  const { cloud, arn, model, run: name } = await namedExecution(context);
  const view = await followExecution(context, cloud, arn, model);
  const recorded = (await readRuns(cloud.ledger, model)).find((item) => item.run === name);
  context.print({
    data: view,
    sections: [{ title: `${name}: ${view.status}`, ...statesSection(view.progress) }, ...blockedSection(recorded)],
  });
  await mustHaveEndedWell(cloud, { model, name, status: recorded?.status ?? view.status }, view);
  refuseBlocked(model, cloud.environment, recorded);
};
