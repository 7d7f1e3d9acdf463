import { z } from 'zod';
import { ModelName } from '#domain/model/definition.ts';
import { rollbackTarget } from '#domain/promotion/rollback.ts';
import { SeenText } from '#domain/text.ts';
import { readPointer, readQuarantined } from '#read-model/pointer.ts';
import type { Run } from '../../context.ts';
import { RefusedError, refuse } from '../../refusal.ts';
import { followExecution, freshName, operator, refusalIn, startExecution, statesSection } from '../../executions.ts';

const Input = z.object({ model: ModelName, reason: SeenText.min(3).max(500) });

export const run: Run = async (context) => {
  const { model, reason } = context.input(Input);
  const environment = context.environment(['staging', 'prod']);
  const cloud = context.cloud(environment);
  const [pointer, quarantined] = await Promise.all([
    readPointer(cloud.ledger, model),
    readQuarantined(cloud.ledger, model),
  ]);
  // The machine decides again from what it reads itself; this look is for the person who is asked for consent.
  const target = rollbackTarget(pointer, (release) => quarantined.includes(release));
  if (target.kind === 'refuse') throw new RefusedError(target.refusal);
  await context.confirm(
    `Take ${model} in ${environment} back from ${pointer?.version ?? 'nothing'} to ${target.version}? The digest it serves now never comes back.`,
  );
  const rollback = freshName('rollback', model);
  const arn = await startExecution(cloud, 'rollback', rollback, {
    model,
    reason,
    actor: operator(),
    rollback,
    from: pointer?.current,
    epoch: pointer?.epoch,
  });
  context.note(`rollback ${rollback} of ${model} in ${environment} has begun`);
  if (!context.wait) {
    context.print({
      data: { rollback, arn, environment, model },
      sections: [{ lines: [`see: gatehouse status ${model}`] }],
    });
    return;
  }
  const view = await followExecution(context, cloud, arn, model);
  if (view.status !== 'SUCCEEDED')
    refuse(
      'run-succeeded',
      `the execution ended ${view.status}`,
      `see: gatehouse run logs ${model} ${rollback} --machine rollback --env ${environment}`,
    );
  const refusal = refusalIn(view);
  if (refusal !== undefined) throw new RefusedError(refusal);
  const now = await readPointer(cloud.ledger, model);
  context.print({
    data: { rollback, environment, model, from: pointer?.version, to: now?.version, states: view.states },
    sections: [
      { lines: [`${environment} serves ${model}@${now?.version ?? 'nothing'} again`] },
      statesSection(view.progress),
    ],
  });
};
