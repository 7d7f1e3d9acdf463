import { z } from 'zod';
import { Digest } from '#domain/canonical/digest.ts';
import { ModelName } from '#domain/model/definition.ts';
import { SeenText } from '#domain/text.ts';
import { readPointer } from '#read-model/pointer.ts';
import type { Run } from '../../context.ts';
import { followToSuccess, freshName, operator, startExecution, statesSection } from '../../executions.ts';
import { refuse } from '../../refusal.ts';
import { shortTime } from '../../report.ts';

const Input = z.object({ model: ModelName, reason: SeenText.min(3).max(500), evidence: Digest.optional() });

export const run: Run = async (context) => {
  const { model, reason, evidence = null } = context.input(Input);
  const environment = context.environment(['staging', 'prod']);
  const cloud = context.cloud(environment);
  const pointer = await readPointer(cloud.ledger, model);
  // The machine decides again from what it reads itself; this look is for the person who is asked for consent.
  if (pointer?.status !== 'probation') {
    const found =
      pointer === undefined
        ? 'nothing is in production here'
        : `${pointer.version} is confirmed: nothing has to be done`;
    return refuse('probation-release', found, `look at: gatehouse status ${model}`);
  }
  const { current: release, version, epoch, until } = pointer;
  await context.confirm(
    `Confirm ${model}@${version} in ${environment}, which is on probation until ${shortTime(until)}? A rollback of what comes after it will go back to it.`,
  );
  const confirmation = freshName('confirmation', model);
  const input = { model, confirmation, actor: await operator(cloud), reason, evidence, release, epoch };
  const arn = await startExecution(cloud, 'confirmation', confirmation, input);
  const data = { confirmation, environment, model, version };
  if (!context.wait) {
    context.print({ data: { ...data, arn }, sections: [{ lines: [`see: gatehouse status ${model}`] }] });
    return;
  }
  const view = await followToSuccess(context, cloud, arn, model);
  context.print({
    data: { ...data, states: view.states },
    sections: [{ lines: [`${model}@${version} is confirmed in ${environment}`] }, statesSection(view.progress)],
  });
};
