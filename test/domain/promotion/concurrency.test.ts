import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { memoryLedger } from '#adapters/memory/ledger.ts';
import { digestOf } from '#domain/canonical/digest.ts';
import { withoutKey } from '#domain/ledger/item.ts';
import { keys } from '#domain/ledger/keys.ts';
import { commitPromotion } from '#domain/promotion/commit.ts';
import { Pointer, pointerWrite } from '#domain/promotion/pointer.ts';
import { freeLock, holdsLock, Lock, promotionName, takeLock } from '#domain/promotion/promotion.ts';
import { rollBack, rollbackTarget } from '#domain/promotion/rollback.ts';
import { admissible, CHAMPION, inForce, MODEL, NOW, pointer, recordsOf, request, said, writesOf } from './_case.ts';

type MemoryLedger = ReturnType<typeof memoryLedger>;

async function pointerOf(ledger: MemoryLedger): Promise<Pointer | undefined> {
  const item = await ledger.get(keys.pointer(MODEL));
  return item === undefined ? undefined : withoutKey(Pointer, item);
}

async function lockOf(ledger: MemoryLedger): Promise<Lock | undefined> {
  const item = await ledger.get(keys.lock(MODEL));
  return item === undefined ? undefined : withoutKey(Lock, item);
}

function back(from: Pointer, id = 'rollback-1') {
  const target = rollbackTarget(from, () => false);
  if (target.kind === 'refuse') throw new Error(target.refusal.found);
  return rollBack(from, target, { id, actor: 'person:op', reason: 'wrong', now: NOW });
}

describe('a ledger under several acts that were decided from the same state', () => {
  it('lets exactly one take effect, and the pointer is its', async () => {
    const contenders = [
      admissible(),
      admissible({ release: digestOf('b'), requestSeq: 6 }),
      admissible({ release: digestOf('c'), requestSeq: 7 }),
    ];
    const acts = [
      ...contenders.flatMap((state) => {
        const decision = commitPromotion(state, NOW);
        return decision.kind === 'commit' ? [decision] : [];
      }),
      back(pointer),
    ];
    expect(acts).toHaveLength(4);
    const order = fc.shuffledSubarray([...acts.keys()], { minLength: 2 });
    await fc.assert(
      fc.asyncProperty(order, async (indices) => {
        const ledger = memoryLedger();
        const policy = { kind: 'put', item: { ...keys.policy(MODEL), ...inForce() } } as const;
        await ledger.transact([pointerWrite(undefined, pointer), policy, ...contenders.flatMap(recordsOf)], 'setup');
        let winners = 0;
        for (const index of indices) {
          const act = acts[index];
          const state = contenders[index];
          if (act === undefined) continue;
          // Each holds the lock in its turn, as if it had been taken from the others: the pointer alone has to decide.
          if (state !== undefined) {
            const { promotion, fencingToken } = state.promotion;
            await ledger.transact(
              [{ kind: 'put', item: { ...keys.lock(MODEL), promotion, fencingToken } }],
              `lock ${index}`,
            );
          }
          const before = await pointerOf(ledger);
          const result = await ledger.transact(act.writes, `act ${index}`);
          const after = await pointerOf(ledger);
          if (result.kind === 'committed') {
            winners += 1;
            expect(after).toEqual(act.pointer);
          } else expect(after).toEqual(before);
        }
        expect(winners).toBe(1);
        expect((await pointerOf(ledger))?.seq).toBe(3);
      }),
      { numRuns: 60 },
    );
  });

  it('changes nothing by an act whose approval, evidence, lock or release is no longer what was read', async () => {
    const state = admissible();
    const { promotion, approvals, evidence } = state;
    const [approval] = approvals;
    const [piece] = evidence.values();
    if (approval === undefined || piece === undefined) throw new Error('nothing to tamper with');
    const evidenceKey = keys.evidence(piece.gate, MODEL, piece.release, piece.admitsTo, piece.policy);
    const interventions = {
      'approval used': { ...keys.approval(MODEL, promotion.promotion, approval.subject), ...approval, status: 'used' },
      'approval replaced': {
        ...keys.approval(MODEL, promotion.promotion, approval.subject),
        ...approval,
        statement: digestOf('forged'),
      },
      'evidence changed': { ...evidenceKey, ...piece, verdict: 'FAIL', body: digestOf('other') },
      'release quarantined': { ...keys.quarantine(MODEL, promotion.release), reason: 'bad' },
      'lock lost': { ...keys.lock(MODEL), promotion: 'another', fencingToken: promotion.fencingToken + 1 },
      'lock taken again': {
        ...keys.lock(MODEL),
        promotion: promotion.promotion,
        fencingToken: promotion.fencingToken + 1,
      },
      'promotion superseded': { ...keys.promotion(MODEL, promotion.promotion), ...promotion, status: 'superseded' },
      'pointer moved': { ...keys.pointer(MODEL), ...pointer, seq: pointer.seq + 1 },
      'release withdrawn upstream': {
        ...keys.upstream(MODEL, promotion.release, 'staging'),
        ...said('staging'),
        withdrawn: digestOf('rolled back'),
      },
      'upstream replaced': {
        ...keys.upstream(MODEL, promotion.release, 'staging'),
        ...said('staging'),
        record: digestOf('another record'),
      },
      'policy replaced': { ...keys.policy(MODEL), ...inForce(), policy: digestOf('another policy'), activation: 2 },
      'request replaced': {
        ...keys.promotionRequest(MODEL, promotion.promotion),
        ...state.request,
        record: digestOf('another record'),
      },
    };
    for (const [name, item] of Object.entries(interventions)) {
      const ledger = memoryLedger();
      await ledger.transact(writesOf(state), 'setup');
      const decision = commitPromotion(state, NOW);
      if (decision.kind === 'refuse') throw new Error(decision.refusal.found);
      await ledger.transact([{ kind: 'put', item }], 'intervention');
      const before = [...ledger.items.values()];
      const result = await ledger.transact(decision.writes, 'commit');
      expect(result, name).toEqual({ kind: 'condition-failed', failed: [{ pk: item.pk, sk: item.sk }] });
      expect([...ledger.items.values()], name).toEqual(before);
    }
  });

  it('takes effect once, however often the same act is asked for', async () => {
    const ledger = memoryLedger();
    const state = admissible();
    await ledger.transact(writesOf(state), 'setup');
    const decision = commitPromotion(state, NOW);
    if (decision.kind === 'refuse') throw new Error(decision.refusal.found);
    expect((await ledger.transact(decision.writes, 'one')).kind).toBe('committed');
    expect((await ledger.transact(decision.writes, 'another')).kind).toBe('condition-failed');
    expect(await pointerOf(ledger)).toEqual(decision.pointer);
  });
});

describe('the lock', () => {
  it('is held by one, under a token that only grows; a zombie changes nothing', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.boolean(), { minLength: 1, maxLength: 12 }), async (frees) => {
        const ledger = memoryLedger();
        const holders: ReturnType<typeof admissible>['promotion'][] = [];
        for (const [index, free] of frees.entries()) {
          const read = await lockOf(ledger);
          const name = `promotion-${index}`;
          const { lock, write } = takeLock(MODEL, read, name);
          expect((await ledger.transact([write], `take ${index}`)).kind).toBe('committed');
          expect(lock.fencingToken).toBe((read?.fencingToken ?? 0) + 1);
          const promotion = { ...admissible().promotion, promotion: name, fencingToken: lock.fencingToken };
          // Whoever read the same value comes too late.
          const rival = takeLock(MODEL, read, 'rival').write;
          expect((await ledger.transact([rival], `rival ${index}`)).kind).toBe('condition-failed');
          for (const zombie of holders) {
            expect((await ledger.transact([holdsLock(zombie)], `hold ${index} ${zombie.promotion}`)).kind).toBe(
              'condition-failed',
            );
            expect((await ledger.transact([freeLock(zombie)], `free ${index} ${zombie.promotion}`)).kind).toBe(
              'condition-failed',
            );
          }
          expect((await ledger.transact([holdsLock(promotion)], `holds ${index}`)).kind).toBe('committed');
          if (free) {
            expect((await ledger.transact([freeLock(promotion)], `frees ${index}`)).kind).toBe('committed');
            expect(await lockOf(ledger)).toEqual({ promotion: null, fencingToken: lock.fencingToken });
          }
          holders.push(promotion);
        }
      }),
      { numRuns: 40 },
    );
  });
});

describe('a rollback', () => {
  it('goes to what was confirmed before, never blindly to the previous one', () => {
    expect(rollbackTarget(pointer, () => false)).toEqual({ kind: 'target', ...pointer.lastConfirmed, skipped: [] });
    expect(rollbackTarget(undefined, () => false)).toMatchObject({ refusal: { rule: 'rollback-target' } });
    expect(rollbackTarget({ ...pointer, lastConfirmed: null }, () => false)).toMatchObject({
      refusal: { rule: 'rollback-target', found: expect.stringContaining('nothing to go back to') },
    });
    expect(rollbackTarget(pointer, () => true)).toMatchObject({ refusal: { rule: 'release-quarantined' } });
  });

  it('quarantines what it rolls back, for ever, and grows seq and epoch', async () => {
    const ledger = memoryLedger();
    await ledger.transact(writesOf(admissible()), 'setup');
    const act = back(pointer);
    expect((await ledger.transact(act.writes, 'back')).kind).toBe('committed');
    expect(await pointerOf(ledger)).toMatchObject({
      current: digestOf('baseline'),
      seq: 3,
      epoch: 3,
      lastConfirmed: null,
    });
    expect(await ledger.get(keys.quarantine(MODEL, CHAMPION))).toMatchObject({
      reason: 'wrong',
      rollback: 'rollback-1',
    });
    // A promotion that had been decided before it does not bring it back, nor does a second rollback move anything.
    expect((await ledger.transact(back(pointer, 'rollback-2').writes, 'again')).kind).toBe('condition-failed');
  });

  it('does not go to a release that was quarantined since it was read', async () => {
    const ledger = memoryLedger();
    await ledger.transact(writesOf(admissible()), 'setup');
    const item = { ...keys.quarantine(MODEL, digestOf('baseline')), reason: 'bad' };
    await ledger.transact([{ kind: 'put', item }], 'quarantine');
    expect(await ledger.transact(back(pointer).writes, 'back')).toEqual({
      kind: 'condition-failed',
      failed: [{ pk: item.pk, sk: item.sk }],
    });
  });
});

it('names a promotion after what asks, in at most 80 characters', () => {
  const longest = request({
    model: 'm'.repeat(32),
    transition: 'staging',
    requestedIn: 'control',
    requestSeq: 999_999_999_999,
  });
  expect(promotionName(longest).length).toBeLessThanOrEqual(80);
  expect(promotionName(longest)).toMatch(/^[A-Za-z0-9-]+$/);
  expect(promotionName(request())).toBe(promotionName(request()));
  expect(promotionName(request({ requestSeq: 6 }))).not.toBe(promotionName(request()));
});
