import { z } from 'zod';
import { addDays } from '#domain/data/partition.ts';
import { Day, ModelName } from '#domain/model/definition.ts';
import type { Run } from '../../context.ts';
import { refuse } from '../../refusal.ts';
import { followExecution, freshName, operator, startExecution, statesSection } from '../../executions.ts';
import { partitionsOf, runsOf } from '../../read.ts';

export const run: Run = async (context) => {
  const { model, asOf: given } = context.input(z.object({ model: ModelName, asOf: Day.optional() }));
  const cloud = context.cloud(context.environment(['dev'], 'dev'));
  const newest = given ?? (await partitionsOf(cloud.ledger, model, 'events')).at(-1)?.day;
  if (newest === undefined)
    refuse(
      'data-admitted',
      `dev has admitted no events of ${model}`,
      `bring some: gatehouse data import ${model} --env dev`,
    );
  const asOf = given ?? addDays(newest, 1);
  const name = freshName(model, asOf, 'manual');
  const arn = await startExecution(cloud, 'retraining', name, { model, asOf, trigger: operator(), run: name });
  context.note(`run ${name} as of ${asOf} has begun`);
  if (!context.wait) {
    context.print({
      data: { model, run: name, asOf, arn },
      sections: [{ lines: [`follow it: gatehouse run watch ${model} ${name} --machine retraining`] }],
    });
    return;
  }
  const view = await followExecution(context, cloud, arn);
  const recorded = (await runsOf(cloud.ledger, model)).find((item) => item.run === name);
  if (view.status !== 'SUCCEEDED')
    refuse('run-succeeded', `the execution ended ${view.status}`, `see: gatehouse run logs ${model} ${name}`);
  context.print({
    data: { model, run: name, asOf, status: view.status, recorded, states: view.states },
    sections: [{ title: `${name}: ${recorded?.status ?? view.status}`, ...statesSection(view.progress) }],
  });
};
