import { expect, it } from 'vitest';
import { type Key, keyOf, keyText } from '#domain/ledger/item.ts';
import { keys } from '#domain/ledger/keys.ts';
import { fortnight } from '#test/domain/gates/_measure.ts';
import { probationRule } from '#test/domain/policy/_rule.ts';
import type { Ledger } from '#ports/ledger.ts';
import { requestPromotion } from '#use-cases/control/request-promotion.ts';
import { confirmRelease } from '#use-cases/confirmation/confirm-release.ts';
import { control, RELEASE } from './control/_control.ts';
import { definition, deployed, type Environment, MODEL, policy, SQL } from './_environments.ts';
import { promote } from './_machine.ts';
import { scene } from './_scene.ts';

/** A ledger in which an item is another one each time that a transaction is written. */
function restless<L extends Ledger>(ledger: L, key: Key): L {
  return {
    ...ledger,
    transact: async (writes, token) =>
      writes.some((write) => write.kind === 'put' && keyText(keyOf(write)) === keyText(key))
        ? { kind: 'condition-failed', failed: [key] }
        : ledger.transact(writes, token),
  };
}

it('a commit whose grounds change each time is refused, and names what changed', async () => {
  const here = await scene();
  await here.begin();
  const made = await here.candidate('better');
  const prod = { ...here.prod, ledger: restless(here.prod.ledger, keys.pointer(MODEL)) };
  expect((await promote(prod, made.request, made.well)).path.at(-1)).toBe('Refused');
  expect((await here.prod.chain()).at(-1)).toMatchObject({
    code: 'PROMOTION_REFUSED',
    details: { rule: 'commit-conditions', reasons: [expect.stringContaining(keyText(keys.pointer(MODEL)))] },
  });
});

it('a confirmation of a pointer that has moved is refused', async () => {
  const here = await scene();
  const lenient = {
    ...policy,
    comparison: { ...policy.comparison, provisional: { minimumImprovement: 0.0025, tolerance: 0.01 } },
    transitions: { ...policy.transitions, prod: { ...policy.transitions.prod, probation: probationRule(14) } },
  };
  const models = [{ definition, policy: lenient, sql: { ...SQL }, expectations: {} }];
  const prod: Environment = { ...here.prod, deployed: { ...deployed, models } };
  await here.begin(prod);
  const { release, request, well } = await here.candidate('likely');
  await promote(prod, request, { ...well, measured: fortnight(0.003) });
  const confirm = confirmRelease({ ...prod, ledger: restless(prod.ledger, keys.pointer(MODEL)) });
  const input = { confirmation: 'c-1', actor: 'person:op', reason: 'better on each day', evidence: null };
  expect(await confirm({ model: MODEL, ...input, release, epoch: 2 })).toMatchObject({
    status: 'refused',
    refusal: { rule: 'probation-conditions', found: expect.stringContaining(keyText(keys.pointer(MODEL))) },
  });
});

it('a request that could not be recorded is refused', async () => {
  const here = control();
  const ledger: Ledger = {
    ...here.ledger,
    transact: async () => ({ kind: 'condition-failed', failed: [keys.pointer(MODEL)] }),
  };
  const ask = { model: 'flight-delay', release: RELEASE, version: '1.2.0', environment: 'prod' } as const;
  expect(await requestPromotion({ ...here, ledger }, 'eng', { ...ask, requestId: 'request-0001' })).toEqual({
    kind: 'refused',
    refusal: { rule: 'request-recorded', found: 'nothing was recorded', remedy: 'request again' },
  });
});
