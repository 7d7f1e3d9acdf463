import { expect, it } from 'vitest';
import type { Ledger } from '#ports/ledger.ts';
import { readPointer } from '#read-model/pointer.ts';
import { findPromotion, readLock } from '#read-model/promotions.ts';
import { recordExecutionEnd } from '#use-cases/recorder/record-execution-end.ts';
import { openPromotion } from '#use-cases/promotion/open-promotion.ts';
import { requested, rollBack } from './_machine.ts';
import { scene } from './_scene.ts';
import { MODEL, START } from './_environments.ts';

/** A ledger before whose first transaction something else happens. */
function interrupted(ledger: Ledger, first: () => Promise<unknown>): Ledger {
  let happens: (() => Promise<unknown>) | undefined = first;
  return {
    ...ledger,
    async transact(writes, token) {
      const now = happens;
      happens = undefined;
      await now?.();
      return ledger.transact(writes, token);
    },
  };
}

it('a promotion that opens while a rollback moves the pointer opens against what is served then', async () => {
  const here = await scene();
  await here.begin();
  const { release } = await here.letIn('first');
  const { request, name } = await here.candidate('second', { requestSeq: 2 });
  const { prod, baseline } = here;
  const named = { model: MODEL, promotion: name };
  await requested(prod, request);
  const back = () => rollBack(prod, { rollback: 'back', from: release, epoch: 2 });
  const open = (ledger: Ledger) =>
    openPromotion({ ...prod, ledger })({ ...named, execution: 'arn', startedAt: new Date(START).toISOString() });
  expect(await open(interrupted(prod.ledger, back))).toMatchObject({ status: 'waiting' });
  expect(await findPromotion(prod.ledger, MODEL, name)).toBeUndefined();
  expect(await open(prod.ledger)).toMatchObject({ status: 'opened' });
  expect((await readPointer(prod.ledger, MODEL))?.current).toBe(baseline);
  expect((await findPromotion(prod.ledger, MODEL, name))?.replaces).toBe(baseline);
});

it.each(['opens while', 'opens after'])('a promotion that %s its execution is ended holds no lock', async (when) => {
  const here = await scene();
  await here.begin();
  const { request, name } = await here.candidate('first');
  const { prod } = here;
  const named = { model: MODEL, promotion: name };
  await requested(prod, request);
  const open = () => openPromotion(prod)({ ...named, execution: 'arn', startedAt: new Date(START).toISOString() });
  const stateMachineArn = 'arn:aws:states:us-east-1:1:stateMachine:gatehouse-prod-promotion';
  const end = { stateMachineArn, name, status: 'ABORTED', input: JSON.stringify({ model: MODEL }) };
  if (when === 'opens while') {
    await recordExecutionEnd({ ...prod, ledger: interrupted(prod.ledger, open) }, end);
    expect((await findPromotion(prod.ledger, MODEL, name))?.status).toBe('failed');
  } else {
    await recordExecutionEnd(prod, end);
    expect(await open()).toMatchObject({ status: 'refused', refusal: { rule: 'promotion-open' } });
    expect(await findPromotion(prod.ledger, MODEL, name)).toBeUndefined();
  }
  expect((await readLock(prod.ledger, MODEL))?.promotion ?? null).toBeNull();
});
