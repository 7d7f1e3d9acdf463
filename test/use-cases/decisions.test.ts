import { beforeEach, describe, expect, it } from 'vitest';
import { digestOf } from '#domain/canonical/digest.ts';
import type { TrainingJobState } from '#ports/training-jobs.ts';
import { readApprovals } from '#read-model/grounds.ts';
import { findPromotion, readLock } from '#read-model/promotions.ts';
import { requestApprovals } from '#use-cases/promotion/request-approvals.ts';
import { reconcileEnvironment } from '#use-cases/reconciler/reconcile-environment.ts';
import { open } from './_machine.ts';
import { decides, scene } from './_scene.ts';
import { hours, MODEL } from './_environments.ts';

describe('a decision that arrives', () => {
  let here: Awaited<ReturnType<typeof scene>>;
  let name: string;
  beforeEach(async () => {
    here = await scene();
    await here.begin();
    const made = await here.candidate('better');
    name = made.name;
    await open(here.prod, made.request, { execution: name });
    here.prod.machines.waiting.add('token');
    await requestApprovals(here.prod)({ model: MODEL, promotion: name, token: 'token' });
  });
  const decide = (
    ...args: Parameters<typeof decides> extends [unknown, unknown, unknown, ...infer Rest] ? Rest : never
  ) => decides(here.prod, here.control, name, ...args);
  const refusal = async (): Promise<unknown> => (await here.prod.chain()).at(-1)?.details['rule'];

  it('is recorded, and lets the promotion go on when the last one is there', async () => {
    await decide('lea', 'ml-lead');
    expect(here.prod.machines.answers.size).toBe(0);
    await decide('pat', 'platform');
    expect(here.prod.machines.answers.get('token')).toEqual({ status: 'approved' });
    expect((await here.prod.codes()).filter((code) => code === 'APPROVAL_RECORDED')).toHaveLength(2);
  });

  it('ends the waiting at once when it is a rejection', async () => {
    await decide('lea', 'ml-lead', { decision: 'reject' });
    expect(here.prod.machines.answers.get('token')).toMatchObject({
      status: 'refused',
      refusal: { rule: 'approval-given', found: expect.stringContaining('rejected by person:lea') },
    });
  });

  it.each([
    ['by the requester', 'eng', 'ml-lead', {}, 'approval-not-by-requester'],
    ['in a role that is not required', 'eve', 'risk', {}, 'approval-role'],
    ['on another digest', 'lea', 'ml-lead', { release: digestOf('other') }, 'approval-bound'],
    ['on other evidence', 'lea', 'ml-lead', { evidence: digestOf('other') }, 'approval-bound'],
    ['under another policy', 'lea', 'ml-lead', { policy: digestOf('other') }, 'approval-bound'],
    ['on another transition', 'lea', 'ml-lead', { transition: 'staging' }, 'approval-bound'],
    ['that has expired', 'lea', 'ml-lead', { expiresAt: '2026-03-02T08:00:00.000Z' }, 'approval-expired'],
  ] as const)('is refused %s, and people hear of it', async (_, subject, role, overrides, rule) => {
    await decide(subject, role, overrides);
    expect((await here.prod.codes()).at(-1)).toBe('DECISION_REFUSED');
    expect(await refusal()).toBe(rule);
    expect(await readApprovals(here.prod.ledger, { model: MODEL, promotion: name })).toEqual([]);
    expect(here.prod.machines.answers.size).toBe(0);
  });

  it('is refused when it is the same person’s second one, in whatever role', async () => {
    await decide('lea', 'ml-lead');
    await decide('lea', 'platform', { comment: 'once more' });
    expect(await refusal()).toBe('approval-once');
    expect(here.prod.machines.answers.size).toBe(0);
    expect(await readApprovals(here.prod.ledger, { model: MODEL, promotion: name })).toMatchObject([
      { role: 'ml-lead' },
    ]);
  });

  it('is refused for a promotion that nobody knows', async () => {
    const promotion = 'toy-000000000000-prod-control-9';
    await decide('lea', 'ml-lead', { promotion });
    expect(await refusal()).toBe('promotion-known');
  });

  describe('and whose answer got lost', () => {
    const jobs = {
      start: async () => undefined,
      describe: async (): Promise<TrainingJobState> => ({ kind: 'running' }),
    };
    const inbox = {
      subscribe: async () => 'was-subscribed' as const,
      askToRead: async () => undefined,
      askToPublish: async () => undefined,
    };
    const reconcile = () => reconcileEnvironment({ ...here.prod, jobs, inbox, peers: [], models: [MODEL] });

    it('is answered by the reconciler', async () => {
      here.prod.machines.waiting.clear();
      await decide('lea', 'ml-lead');
      await decide('pat', 'platform');
      expect(await reconcile()).toMatchObject({ tokensReturned: [] });
      here.prod.machines.waiting.add('token');
      expect(await reconcile()).toMatchObject({ tokensReturned: [name], ended: [] });
      expect(here.prod.machines.answers.get('token')).toEqual({ status: 'approved' });
    });

    it('is answered although the ask was repeated with another token', async () => {
      here.prod.machines.waiting.clear();
      here.prod.machines.waiting.add('second token');
      await requestApprovals(here.prod)({ model: MODEL, promotion: name, token: 'second token' });
      await decide('lea', 'ml-lead');
      await decide('pat', 'platform');
      expect(here.prod.machines.answers.get('second token')).toEqual({ status: 'approved' });
      expect((await here.prod.codes()).filter((code) => code === 'APPROVAL_REQUESTED')).toHaveLength(1);
    });

    it('ends when its execution is over and nobody said so: the lock is free, people are told once', async () => {
      const { execution } = (await findPromotion(here.prod.ledger, MODEL, name)) ?? { execution: '' };
      expect(await reconcile()).toMatchObject({ ended: [] });
      here.prod.machines.ended.set(execution, 'ABORTED: by an operator');
      expect(await reconcile()).toMatchObject({ ended: [name] });
      expect(await reconcile()).toMatchObject({ ended: [] });
      expect(await findPromotion(here.prod.ledger, MODEL, name)).toMatchObject({
        status: 'failed',
        ending: `promotion-execution: its execution ${execution} is over: ABORTED: by an operator`,
      });
      expect(await readLock(here.prod.ledger, MODEL)).toMatchObject({ promotion: null });
      expect((await here.prod.codes()).filter((code) => code === 'PROMOTION_FAILED')).toHaveLength(1);
    });

    it('ends past the deadline: the lock is free, the token is returned, people are told once', async () => {
      here.clock.at += hours(55);
      for (let time = 0; time < 2; time += 1) await reconcile();
      expect(await findPromotion(here.prod.ledger, MODEL, name)).toMatchObject({ status: 'refused' });
      expect(await readLock(here.prod.ledger, MODEL)).toMatchObject({ promotion: null });
      expect(here.prod.machines.answers.get('token')).toMatchObject({
        status: 'refused',
        refusal: { rule: 'promotion-deadline' },
      });
      expect((await here.prod.codes()).filter((code) => code === 'PROMOTION_REFUSED')).toHaveLength(1);
    });
  });
});
