import type { Run } from '../../context.ts';
import { refuse } from '../../refusal.ts';
import { followExecution, statesSection } from '../../executions.ts';
import { namedExecution } from './find.ts';

export const run: Run = async (context) => {
  const { cloud, arn, model, run: name } = await namedExecution(context);
  const view = await followExecution(context, cloud, arn);
  context.print({ data: view, sections: [{ title: `${name}: ${view.status}`, ...statesSection(view.progress) }] });
  if (view.status !== 'SUCCEEDED')
    refuse('run-succeeded', `the execution ended ${view.status}`, `see: gatehouse run show ${model} ${name}`);
};
