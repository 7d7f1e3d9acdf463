import { beforeEach, describe, expect, it } from 'vitest';
import { digestOf } from '#domain/canonical/digest.ts';
import { keys } from '#domain/ledger/keys.ts';
import { policyDigest } from '#domain/model/deployed.ts';
import { promotionName } from '#domain/promotion/promotion.ts';
import { openPromotion } from '#use-cases/promotion/open-promotion.ts';
import { open as opening } from './_machine.ts';
import { request, scene } from './_scene.ts';
import { type Environment, MODEL } from './_environments.ts';

let here: Awaited<ReturnType<typeof scene>>;
let prod: Environment;
beforeEach(async () => {
  here = await scene();
  ({ prod } = here);
  await here.begin();
});

describe('opening a promotion', () => {
  const open = (asked: ReturnType<typeof request>, execution = 'execution') => opening(prod, asked, { execution });

  it('reads what is requested from the verified request, and opens nothing without one', async () => {
    const { request: asked } = await here.candidate('forged');
    const named = { model: MODEL, promotion: promotionName(asked), execution: 'by hand' };
    const startedAt = '2026-03-02T09:00:00.000Z';
    const refused = { status: 'refused', refusal: { rule: 'request-verified' } };
    // Whatever else whoever starts the machine by hand may say of it.
    const forged = { ...asked, transition: 'staging', requestedBy: 'person:lea', asOf: '2030-01-01' };
    expect(await openPromotion(prod)({ ...named, startedAt, request: forged })).toMatchObject(refused);
    expect(await open({ ...asked, transition: 'staging' })).toMatchObject(refused);
    expect(await open({ ...asked, transition: 'initial' })).toMatchObject({ refusal: { rule: 'initial-only-once' } });
    expect(await prod.ledger.query(keys.promotions(MODEL))).toHaveLength(1);
  });

  it('is refused for what is as of a day that has not come', async () => {
    const { request: asked } = await here.candidate('future', { asOf: '2026-03-03' });
    expect(await open(asked)).toMatchObject({ refusal: { rule: 'as-of-past' } });
  });

  it('is refused for what was rolled back upstream while it waited for its turn', async () => {
    const { request: asked, release } = await here.candidate('withdrawn');
    const key = keys.upstream(MODEL, release, 'staging');
    const item = { ...(await prod.ledger.get(key)), ...key, withdrawn: digestOf('rolled back') };
    await prod.ledger.transact([{ kind: 'put', item }], 'withdrawn');
    expect(await open(asked)).toMatchObject({ refusal: { rule: 'released-upstream' } });
  });

  it('does not wait for its turn for ever', async () => {
    const early = (await scene()).prod;
    const asked = request(digestOf('early'));
    expect(await opening(early, asked, { startedAt: '2026-02-20T08:59:59.000Z' })).toMatchObject({
      status: 'refused',
      refusal: { rule: 'promotion-turn' },
    });
  });

  it('waits for the baseline', async () => {
    const fresh = (await scene()).prod;
    const asked = request(digestOf('early'));
    expect(await opening(fresh, asked)).toMatchObject({ status: 'waiting' });
  });

  it('is done once by one execution, and refused to another of the same request', async () => {
    const { request: asked } = await here.candidate('one');
    expect(await open(asked)).toMatchObject({ status: 'opened', approvals: 'needed', approvalSeconds: 172_800 });
    expect(await open(asked)).toMatchObject({ status: 'opened' });
    expect(await open(asked, 'another')).toMatchObject({ status: 'refused', refusal: { rule: 'promotion-open' } });
  });

  it('lets one of several that ask at once take the lock; the others wait, come too late or take over', async () => {
    const asks = await Promise.all([1, 2, 3].map((requestSeq) => here.candidate(`race ${requestSeq}`, { requestSeq })));
    await Promise.all(asks.map(({ request: asked, name }) => open(asked, name)));
    for (let round = 0; round < 3; round += 1)
      await Promise.all(asks.map(({ request: asked, name }) => open(asked, name)));
    const lock = await prod.ledger.get(keys.lock(MODEL));
    const open3 = await prod.ledger.query(keys.promotions(MODEL));
    expect(open3.filter(({ status }) => status === 'open').map(({ promotion }) => promotion)).toEqual([
      lock?.['promotion'],
    ]);
    expect(lock?.['promotion']).toBe(asks[2]?.name);
  });

  it('is superseded by a newer ask from the same place only', async () => {
    const older = await here.candidate('older', { requestSeq: 5 });
    await open(older.request, older.name);
    const elsewhere = await here.candidate('elsewhere', { requestSeq: 9, requestedIn: 'staging' });
    expect(await open(elsewhere.request)).toMatchObject({ status: 'waiting' });
    const late = await here.candidate('late', { requestSeq: 4 });
    expect(await open(late.request)).toMatchObject({ status: 'refused', refusal: { rule: 'promotion-newest' } });
    const newer = await here.candidate('newer', { requestSeq: 6 });
    expect(await open(newer.request, newer.name)).toMatchObject({ status: 'opened' });
    expect(await prod.ledger.get(keys.promotion(MODEL, older.name))).toMatchObject({ status: 'superseded' });
  });

  it('is refused for a second baseline, and for what is there already', async () => {
    const second = { ...here.first, requestSeq: 7 };
    expect(await open(second)).toMatchObject({ refusal: { rule: 'initial-only-once' } });
    expect(await open(request(here.baseline, { kind: 'trained' }))).toMatchObject({ refusal: { rule: 'release-new' } });
  });

  it('pins the policy in force, not one that is only deployed', async () => {
    const { request: asked } = await here.candidate('one');
    const [model] = prod.deployed.models;
    if (model === undefined) throw new Error('no model');
    const comparison = { ...model.policy.comparison, minimumDays: 10 };
    const looser = { ...model.policy.transitions.prod, approvals: [] };
    const policy = { ...model.policy, comparison, transitions: { ...model.policy.transitions, prod: looser } };
    const deployed = { ...prod.deployed, models: [{ ...model, policy }] };
    await opening({ ...prod, deployed }, asked);
    const chain = await prod.chain();
    expect(chain.filter(({ code }) => code === 'POLICY_ACTIVATED')).toHaveLength(1);
    expect(chain.at(-1)).toMatchObject({ code: 'PROMOTION_OPENED', details: { policy: policyDigest(model.policy) } });
  });
});
