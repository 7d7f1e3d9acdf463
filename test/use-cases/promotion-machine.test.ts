import { beforeEach, describe, expect, it } from 'vitest';
import { type Digest } from '#domain/canonical/digest.ts';
import { keys } from '#domain/ledger/keys.ts';
import { readApprovals } from '#read-model/grounds.ts';
import { readPointer } from '#read-model/pointer.ts';
import { findPromotion } from '#read-model/promotions.ts';
import { fortnight } from '#test/domain/gates/_measure.ts';
import { promote } from './_machine.ts';
import { hear, request } from './_scene.ts';
import { makeRelease } from './_releases.ts';
import { MODEL } from './_environments.ts';
import { atRest, begin, here } from './_promotion-machine.ts';

beforeEach(begin);

describe('the machine of promotions with its use-cases', () => {
  it('promotes the baseline first: two gates, no approval, nothing to go back to', async () => {
    await here.begin();
    const { prod, baseline } = here;
    expect(await readPointer(prod.ledger, MODEL)).toMatchObject({
      current: baseline,
      version: '0.1.0',
      seq: 1,
      epoch: 1,
      lastConfirmed: null,
    });
    expect(await prod.codes()).toEqual([
      'POLICY_ACTIVATED',
      'PROMOTION_OPENED',
      'EVIDENCE_RECORDED',
      'EVIDENCE_RECORDED',
      'RELEASE_PROMOTED',
    ]);
    await atRest();
  });

  it('promotes a better candidate after two people approved, and uses their approvals up', async () => {
    await here.begin();
    const { release, name } = await here.letIn('better');
    const { prod, baseline } = here;
    expect(await readPointer(prod.ledger, MODEL)).toMatchObject({
      current: release,
      seq: 2,
      lastConfirmed: { release: baseline, version: '0.1.0' },
    });
    const approvals = await readApprovals(prod.ledger, { model: MODEL, promotion: name });
    expect(approvals.map(({ subject, status }) => `${subject} ${status}`)).toEqual([
      'person:lea used',
      'person:pat used',
    ]);
    expect((await prod.chain()).at(-1)?.details).toMatchObject({
      approvedBy: ['person:lea (ml-lead)', 'person:pat (platform)'],
    });
    await atRest();
  });

  it.each([
    ['is worse', fortnight(-0.03), 'Champion was not beaten', 'FAIL'],
    ['gains too little to matter', fortnight(0.002), 'Champion was not beaten', 'FAIL'],
    ['cannot be measured', undefined, 'Champion was not beaten', 'INCONCLUSIVE'],
  ])('refuses a candidate that %s', async (_, measured, state, verdict) => {
    await here.begin();
    const { request: asked, name, well } = await here.candidate('other');
    const { path, status } = await promote(
      here.prod,
      asked,
      measured === undefined ? here.around : { ...well, measured },
    );
    expect(path).toContain(state);
    expect(path.at(-1)).toBe('Refused');
    expect(status).toBe('SUCCEEDED');
    expect(await readPointer(here.prod.ledger, MODEL)).toMatchObject({ current: here.baseline });
    expect(await findPromotion(here.prod.ledger, MODEL, name)).toMatchObject({ status: 'refused' });
    const verdicts = (await here.prod.chain()).filter(({ code }) => code === 'EVIDENCE_RECORDED');
    expect(verdicts.map(({ details }) => details['verdict'])).toContain(verdict);
    expect((await here.prod.codes()).at(-1)).toBe('PROMOTION_REFUSED');
    await atRest();
  });

  it('compares on no day from which either has learnt', async () => {
    await here.begin();
    const { request: asked, well } = await here.candidate('old', { asOf: '2001-01-16' });
    const { path } = await promote(here.prod, asked, well);
    expect(path.at(-1)).toBe('Refused');
    const inconclusive = (await here.prod.chain()).filter(({ details }) => details['verdict'] === 'INCONCLUSIVE');
    expect(JSON.stringify(inconclusive)).toContain('has seen labels until 2001-01-15');
  });

  it('refuses what staging has not signed for', async () => {
    await here.begin();
    const asked = request(await makeRelease(here.staging.releases, 'smuggled'));
    const { path } = await promote(here.prod, asked, { ...here.around, measured: fortnight(0.02) });
    expect(path).toEqual(['Open promotion', 'Lock taken?', 'Opening was refused', 'Refuse promotion', 'Refused']);
    await atRest();
  });

  /** Staging rolls a release back, and prod hears of it. */
  async function withdraws(from: Digest): Promise<void> {
    const details = { rollback: 'r', version: '0.1.0', from, reason: 'wrong', pointerSeq: 3, epoch: 3 };
    await here.staging.says({ code: 'RELEASE_ROLLED_BACK', actor: 'person:op', release: here.baseline, details });
    const record = (await here.staging.chain()).at(-1);
    if (record === undefined) throw new Error('staging said nothing');
    await hear(here.prod, record);
  }

  it('ends what staging rolls back while people decide, at once and with the reason', async () => {
    await here.begin();
    const { request: asked, release, well } = await here.candidate('better');
    const { path } = await promote(here.prod, asked, { ...well, people: () => withdraws(release) });
    expect(path.slice(-3)).toEqual(['Approval was not given', 'Refuse promotion', 'Refused']);
    const records = (await here.prod.chain()).slice(-2);
    expect(records.map(({ code }) => code)).toEqual(['UPSTREAM_ROLLED_BACK', 'PROMOTION_REFUSED']);
    expect(records[1]?.details).toMatchObject({ rule: 'released-upstream' });
    await atRest();
  });

  it('never commits what staging rolled back after people had approved', async () => {
    await here.begin();
    const { request: asked, release, well } = await here.candidate('better');
    const before = async (state: string): Promise<void> => {
      if (state === 'Commit promotion') await withdraws(release);
    };
    const { path } = await promote(here.prod, asked, { ...well, before });
    expect(path.slice(-4)).toEqual(['Committed?', 'Commit was refused', 'Refuse promotion', 'Refused']);
    expect((await readPointer(here.prod.ledger, MODEL))?.current).toBe(here.baseline);
    expect((await here.prod.chain()).at(-1)?.details).toMatchObject({ rule: 'released-upstream' });
    await atRest();
  });

  it('decides again where something changed at the commit that does not stand against it', async () => {
    await here.begin();
    const { request: asked, release, well, name } = await here.candidate('better');
    const { prod } = here;
    let isChanged = false;
    const transact: typeof prod.ledger.transact = async (writes, token) => {
      const isCommit = writes.some((write) => write.kind === 'put' && write.item.pk === `POINTER#${MODEL}`);
      if (isCommit && !isChanged) {
        isChanged = true;
        const promotion = await findPromotion(prod.ledger, MODEL, name);
        const key = keys.policy(MODEL);
        const active = await prod.ledger.get(key);
        expect(promotion?.status).toBe('awaiting-approval');
        // The same policy, activated anew: the pinned digest is in force still.
        await prod.ledger.transact([{ kind: 'put', item: { ...active, ...key, activation: 2 } }], 'activated anew');
      }
      return prod.ledger.transact(writes, token);
    };
    const { path } = await promote({ ...prod, ledger: { ...prod.ledger, transact } }, asked, well);
    expect(isChanged).toBe(true);
    expect(path.at(-1)).toBe('Promoted');
    expect((await readPointer(prod.ledger, MODEL))?.current).toBe(release);
    await atRest();
  });
});
