import type { Run } from '../../context.ts';
import { describeExecution, statesSection } from '../../executions.ts';
import { namedExecution } from './find.ts';

export const run: Run = async (context) => {
  const { cloud, arn, run: name } = await namedExecution(context);
  const view = await describeExecution(cloud, arn, context.now());
  context.print({ data: view, sections: [{ title: `${name}: ${view.status}`, ...statesSection(view.progress) }] });
};
