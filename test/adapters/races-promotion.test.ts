// What only one may do in a promotion, tried by many at once on the emulator, through the product's own builders.
import { afterAll, beforeAll, expect } from 'vitest';
import type { AuditEvent } from '#domain/audit/events.ts';
import { digestOf } from '#domain/canonical/digest.ts';
import { evidenceOf, evidenceWrite } from '#domain/gates/evidence.ts';
import { keys } from '#domain/ledger/keys.ts';
import { commitPromotion } from '#domain/promotion/commit.ts';
import { advancePointer, confirmedReleases, type Pointer, pointerWrite } from '#domain/promotion/pointer.ts';
import { freeLock, holdsLock, takeLock } from '#domain/promotion/promotion.ts';
import type { Ledger } from '#ports/ledger.ts';
import { readPointer } from '#read-model/pointer.ts';
import { readLock } from '#read-model/promotions.ts';
import { type Change, type ChangeResult, recordChange } from '#use-cases/audit/record-change.ts';
import { switchPointer } from '#use-cases/rollback/switch-pointer.ts';
import { Refused } from '#use-cases/task.ts';
import { admissible, inForce, MODEL, NOW, PASSED, pointer as first, recordsOf } from '#test/domain/promotion/_case.ts';
import { freshCloud, type TestCloud } from '#test/_helpers/cloud.ts';
import { expectChain, race, racers, racing, racingLedger } from './_races.ts';

let cloud: TestCloud;
beforeAll(async () => {
  cloud = await freshCloud();
});
afterAll(async () => cloud[Symbol.asyncDispose]());

const deps = (ledger: Ledger) => ({ ledger, environment: 'prod', clock: { now: () => NOW } });
const said: AuditEvent = {
  code: 'PEER_VERIFICATION_FAILED',
  actor: 'pipeline:race',
  release: null,
  details: { peer: 'dev', seq: 1, rule: 'record-signed', found: 'a racer' },
};
const change = async (
  ledger: Ledger,
  operation: string,
  { writes, event = said }: Pick<Change, 'writes'> & Partial<Change>,
): Promise<ChangeResult['kind']> => (await recordChange(deps(ledger), { model: MODEL, operation, writes, event })).kind;

/** What each racer is told, if one is told the first word and all others the second. */
const oneOf = (winner: number, won: string, lost: string): string[] =>
  racers().map((racer) => (racer === winner ? won : lost));

racing(
  'pointer',
  'switches a pointer once, whether forward by promotions or back by rollbacks',
  async ({ name, rounds }) => {
    const ledger = await racingLedger(cloud, name);
    await ledger.transact([pointerWrite(undefined, first)], 'first pointer');
    let before: Pointer = first;
    const back = async (each: Ledger, rollback: string): Promise<string> => {
      const { current: from, epoch } = before;
      const input = { model: MODEL, rollback, actor: 'person:op', reason: 'race', from, epoch, to: null };
      const answer = await switchPointer(deps(each))(input);
      // Whoever comes later is told that the pointer is in another epoch.
      const refused = Refused.safeParse(answer).data;
      if (refused !== undefined) return refused.refusal.rule === 'rollback-epoch' ? 'moved' : refused.refusal.rule;
      return 'status' in answer ? String(answer.status) : '';
    };
    const forward = async (each: Ledger, promotion: string, version: string): Promise<string> => {
      const { model, environment, fencingToken } = before;
      const named = { model, environment, fencingToken, current: digestOf(promotion), version };
      const confirmed = confirmedReleases(before);
      const next = advancePointer(before, { ...named, writtenBy: promotion, at: NOW.toISOString() }, confirmed);
      const kind = await change(each, promotion, { writes: [pointerWrite(before, next)] });
      return kind === 'recorded' ? 'switched' : kind === 'refused' ? 'moved' : kind;
    };
    let backs = 0;
    for (let round = 0; round < rounds; round += 1) {
      // All go forward, then all go back, then half of them each: both happen, whoever comes first.
      const goesBack = (racer: number): boolean =>
        before.lastConfirmed !== null && (round < 2 ? round === 1 : (racer + round) % 2 === 0);
      const { answers, winner } = await race(
        ledger,
        () => [keys.pointer(MODEL)],
        (each, racer) =>
          goesBack(racer)
            ? back(each, `rollback-${round}-${racer}`)
            : forward(each, `promotion-${round}-${racer}`, `1.${round}.${racer}`),
      );
      expect(answers).toEqual(oneOf(winner, 'switched', 'moved'));
      const now = await readPointer(ledger, MODEL);
      if (now === undefined) throw new Error('the pointer is gone');
      expect(now).toMatchObject({ seq: before.seq + 1, epoch: before.epoch + 1 });
      expect(now.current).toBe(
        goesBack(winner) ? before.lastConfirmed?.release : digestOf(`promotion-${round}-${winner}`),
      );
      if (goesBack(winner)) backs += 1;
      before = now;
    }
    expect(backs).toBeGreaterThan(0);
    expect(backs).toBeLessThan(rounds);
    expect(await ledger.query(`QUARANTINE#${MODEL}`)).toHaveLength(backs);
    await expectChain(ledger, MODEL, rounds);
  },
);

racing('lock', 'gives the lock to one promotion, under a token that grows by one', async ({ name, rounds }) => {
  const ledger = await racingLedger(cloud, name);
  for (let round = 0; round < rounds; round += 1) {
    const before = await readLock(ledger, MODEL);
    const { answers, winner } = await race(
      ledger,
      () => [keys.lock(MODEL)],
      (each, racer) => {
        const { write } = takeLock(MODEL, before, `promotion-${round}-${racer}`);
        return change(each, `open-${round}-${racer}`, { writes: [write] });
      },
    );
    expect(answers).toEqual(oneOf(winner, 'recorded', 'refused'));
    const held = { promotion: `promotion-${round}-${winner}`, fencingToken: round + 1 };
    expect(await readLock(ledger, MODEL)).toEqual(held);
    const free = freeLock({ ...admissible().promotion, ...held });
    expect(await change(ledger, `end-${round}`, { writes: [free] })).toBe('recorded');
  }
  await expectChain(ledger, MODEL, 2 * rounds);
});

racing(
  'approval',
  'uses up an approval once, in one commit that takes all its conditions',
  async ({ name, rounds }) => {
    const ledger = await racingLedger(cloud, name);
    const policy = { kind: 'put', item: { ...keys.policy(MODEL), ...inForce() } } as const;
    await ledger.transact([pointerWrite(undefined, first), policy], 'first');
    let pointer: Pointer = first;
    for (let round = 0; round < rounds; round += 1) {
      const asked = admissible({ release: digestOf(`release ${round}`), requestSeq: round + 10 }, round + 3);
      const state = { ...asked, pointer, promotion: { ...asked.promotion, replaces: pointer.current } };
      const decision = commitPromotion(state, NOW);
      if (decision.kind === 'refuse') throw new Error(decision.refusal.found);
      const { promotion, fencingToken } = state.promotion;
      const lock = { ...keys.lock(MODEL), promotion, fencingToken };
      await ledger.transact([...recordsOf(state), { kind: 'put', item: lock }], `approvals ${round}`);
      const approvals = state.approvals.map(({ subject }) => keys.approval(MODEL, promotion, subject));
      const contested = [keys.pointer(MODEL), keys.lock(MODEL), keys.promotion(MODEL, promotion), ...approvals];
      const { answers, winner } = await race(
        ledger,
        () => contested,
        (each, racer) => change(each, `commit-${round}-${racer}`, decision),
      );
      expect(answers).toEqual(oneOf(winner, 'recorded', 'refused'));
      const used = await ledger.query(keys.approvals(MODEL), { from: `${promotion}#`, to: `${promotion}#\uFFFF` });
      expect(used.map(({ status }) => status)).toEqual(['used', 'used', 'used']);
      const now = await readPointer(ledger, MODEL);
      expect(now).toMatchObject({ current: state.promotion.release, seq: pointer.seq + 1 });
      pointer = now ?? pointer;
    }
    await expectChain(ledger, MODEL, rounds);
  },
);

racing(
  'evidence',
  'records a gate’s evidence once: who comes later is told what stands there',
  async ({ name, rounds }) => {
    const ledger = await racingLedger(cloud, name);
    for (let round = 0; round < rounds; round += 1) {
      const { promotion } = admissible({ release: digestOf(`release ${round}`), requestSeq: round + 10 }, round + 1);
      const lock = { ...keys.lock(MODEL), promotion: promotion.promotion, fencingToken: promotion.fencingToken };
      await ledger.transact([{ kind: 'put', item: lock }], `lock ${round}`);
      const evidence = (racer: number) =>
        evidenceOf(promotion, 'metric-baseline', { ...PASSED, numbers: { racer } }, null, NOW);
      const operation = `gate-${promotion.promotion}`;
      const { answers, winner } = await race(
        ledger,
        () => [keys.operation(MODEL, operation)],
        (each, racer) =>
          recordChange(deps(each), {
            model: MODEL,
            operation,
            writes: [holdsLock(promotion), evidenceWrite(evidence(racer))],
            event: said,
          }),
      );
      expect(answers.map(({ kind }) => kind)).toEqual(oneOf(winner, 'recorded', 'already-recorded'));
      // All of them name the same record of the chain.
      expect(new Set(answers.map((answer) => ('hash' in answer ? answer.hash : '')))).toHaveProperty('size', 1);
      const [write] = [evidenceWrite(evidence(winner))];
      if (write?.kind === 'put') expect(await ledger.get(write.item)).toEqual(write.item);
    }
    await expectChain(ledger, MODEL, rounds);
  },
);
