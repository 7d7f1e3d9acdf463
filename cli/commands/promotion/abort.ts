import { z } from 'zod';
import { isOpen } from '#domain/promotion/promotion.ts';
import { SeenText } from '#domain/text.ts';
import type { Run } from '../../context.ts';
import { followToSuccess, freshName, operator, startExecution, statesSection } from '../../executions.ts';
import { refuse } from '../../refusal.ts';
import { findPromotionNamed } from './find-promotion.ts';

const Input = z.object({ promotion: z.string().min(3), reason: SeenText.min(3).max(500) });

/** Ends a promotion that is under way: the champion answers everything again. It needs no approval, and no other account. */
export const run: Run = async (context) => {
  const { promotion: named, reason } = context.input(Input);
  const environment = context.environment(['staging', 'prod'], 'prod');
  const cloud = context.cloud(environment);
  const { model, promotion, version, status } = await findPromotionNamed(context, cloud, named);
  if (!isOpen(status)) return refuse('promotion-open', `${promotion} is ${status}`);
  await context.confirm(`End the promotion of ${model}@${version} into ${environment}, which is ${status}?`);
  const abort = { actor: await operator(cloud), reason };
  const arn = await startExecution(cloud, 'canary', freshName('abort', model), { model, promotion, abort });
  const data = { environment, model, promotion, version, ...abort, arn };
  if (!context.wait) {
    context.print({ data, sections: [{ lines: [`see: gatehouse promotion show ${promotion}`] }] });
    return;
  }
  const view = await followToSuccess(context, cloud, arn, model);
  context.print({
    data: { ...data, states: view.states },
    sections: [
      { lines: [`${promotion} has ended: nothing of it is promoted, and the champion answers everything`] },
      statesSection(view.progress),
    ],
  });
};
