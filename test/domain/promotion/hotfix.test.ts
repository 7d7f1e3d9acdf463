import { describe, expect, it } from 'vitest';
import { memoryLedger } from '#adapters/memory/ledger.ts';
import { digestOf } from '#domain/canonical/digest.ts';
import { keys } from '#domain/ledger/keys.ts';
import { commitPromotion } from '#domain/promotion/commit.ts';
import type { GroundsState } from '#domain/promotion/grounds.ts';
import type { Propagation } from '#domain/promotion/pending-propagation.ts';
import { type Pointer } from '#domain/promotion/pointer.ts';
import { ageOf, type PromotionRequest } from '#domain/promotion/promotion.ts';
import { rollBack, rollbackTarget } from '#domain/promotion/rollback.ts';
import { admissible, CHAMPION, hours, MODEL, NOW, pointer, request, said, writesOf } from './_case.ts';

const hotfix: Partial<PromotionRequest> = {
  transition: 'hotfix',
  hotfix: { reason: 'the carrier renamed its codes' },
  source: 'dev',
};

/** A promotion that lacks nothing, over a pointer. */
function over(from: Pointer, asked: Partial<PromotionRequest>, propagation?: Propagation): GroundsState {
  const state = admissible(asked);
  const promotion = { ...state.promotion, replaces: from.current };
  return { ...state, promotion, pointer: from, ...(propagation === undefined ? {} : { propagation }) };
}

function committed(state: GroundsState) {
  const decision = commitPromotion(state, NOW);
  if (decision.kind === 'refuse') throw new Error(`${decision.refusal.rule}: ${decision.refusal.found}`);
  return decision;
}

function takenBack(from: Pointer): Pointer {
  const target = rollbackTarget(from, () => false);
  if (target.kind === 'refuse') throw new Error(target.refusal.found);
  return rollBack(from, target, { id: 'r', actor: 'person:op', reason: 'wrong', now: NOW }).pointer;
}

const { pointer: indebted, event } = committed(over(pointer, hotfix));
const next = { release: digestOf('next'), version: '1.0.2', requestSeq: 6 };
const carried: Propagation = { dev: said('dev'), staging: said('staging') };

describe('a hotfix', () => {
  it('is served at once, and owes what it went past', () => {
    expect(indebted).toMatchObject({
      current: digestOf('candidate'),
      status: 'confirmed',
      lastConfirmed: { release: CHAMPION },
      pendingPropagation: { release: digestOf('candidate'), version: '1.0.1', since: hours(0) },
    });
    expect(event.details).toMatchObject({ transition: 'hotfix', hotfix: hotfix.hotfix });
  });

  it('goes over a release on probation, which is then no longer gone back to', () => {
    const onProbation: Pointer = { ...pointer, status: 'probation', until: hours(24) };
    expect(committed(over(onProbation, hotfix)).pointer).toMatchObject({
      status: 'confirmed',
      lastConfirmed: pointer.lastConfirmed,
      rollbackHistory: [],
    });
  });

  it('may follow on a hotfix that is not propagated; rolled back, the earlier one is pending again', () => {
    const second = committed(over(indebted, { ...hotfix, ...next })).pointer;
    expect(second.pendingPropagation).toMatchObject({ release: digestOf('next') });
    expect(takenBack(second)).toMatchObject({
      current: digestOf('candidate'),
      pendingPropagation: indebted.pendingPropagation,
    });
  });

  it('leaves no pending propagation when it is rolled back', () => {
    expect(takenBack(indebted)).toMatchObject({ current: CHAMPION, pendingPropagation: null });
  });
});

describe('a promotion while a hotfix is not propagated', () => {
  const other = { ...carried, staging: said('staging', digestOf('other')) };
  it.each([
    ['nothing is known', undefined, 'dev has not registered it, staging has not promoted it'],
    ['staging has not promoted it', { ...carried, staging: undefined }, 'staging has not promoted it'],
    ['staging promoted another one', other, 'staging has not promoted it'],
    ['dev has not registered it', { ...carried, dev: undefined }, 'dev has not registered it'],
    [
      'staging has rolled it back',
      { ...carried, staging: { ...said('staging'), withdrawn: digestOf('rollback') } },
      'staging has rolled it back',
    ],
  ])('is refused where %s', (_, propagation, found) => {
    expect(commitPromotion(over(indebted, next, propagation), NOW)).toMatchObject({
      kind: 'refuse',
      refusal: { rule: 'hotfix-propagation', found: expect.stringContaining(found) },
    });
  });

  it('is promoted once dev and staging have the digest, and nothing is pending any more', () => {
    const after = committed(over(indebted, next, carried)).pointer;
    expect(after).toMatchObject({ current: digestOf('next'), pendingPropagation: null });
    expect(after.lastConfirmed).toEqual({ release: digestOf('candidate'), version: '1.0.1' });
    expect(takenBack(after)).toMatchObject({ current: digestOf('candidate'), pendingPropagation: null });
  });

  it('is not promoted by the ledger when what paid was withdrawn since it was read', async () => {
    const state = over(indebted, next, carried);
    const decision = committed(state);
    const key = keys.upstream(MODEL, digestOf('candidate'), 'staging');
    for (const [withdrawn, kind] of [
      [digestOf('rollback'), 'condition-failed'],
      [null, 'committed'],
    ] as const) {
      const ledger = memoryLedger();
      await ledger.transact(writesOf(state), 'setup');
      const facts = [
        { ...keys.upstream(MODEL, digestOf('candidate'), 'dev'), ...said('dev') },
        { ...key, ...said('staging'), withdrawn },
      ];
      await ledger.transact(
        facts.map((item) => ({ kind: 'put', item })),
        'facts',
      );
      expect(await ledger.transact(decision.writes, 'commit')).toEqual(
        kind === 'committed' ? { kind } : { kind, failed: [key] },
      );
    }
  });
});

describe('a hotfix and what else is under way', () => {
  const normal = admissible().promotion;
  const urgent = admissible(hotfix).promotion;
  it.each([
    [
      'goes before a promotion from elsewhere',
      request({ ...hotfix, requestSeq: 1 }),
      { ...normal, requestedIn: 'staging' },
      'newer',
    ],
    ['is not pushed aside by a newer ask', request({ requestSeq: 99 }), urgent, 'unrelated'],
    ['is replaced by a newer hotfix', request({ ...hotfix, requestSeq: 99 }), urgent, 'newer'],
    ['waits for the baseline', request(hotfix), { ...normal, kind: 'baseline' as const }, 'unrelated'],
  ])('%s', (_, asked, holder, age) => {
    expect(ageOf(asked, holder)).toBe(age);
  });
});
