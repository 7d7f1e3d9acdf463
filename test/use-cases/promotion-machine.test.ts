import { beforeEach, describe, expect, it } from 'vitest';
import { EMPTY_CHAIN, followChain } from '#domain/audit/chain.ts';
import { type Digest, digestOf } from '#domain/canonical/digest.ts';
import { keys } from '#domain/ledger/keys.ts';
import { readRecords } from '#read-model/chain.ts';
import { readApprovals } from '#read-model/grounds.ts';
import { readPointer } from '#read-model/pointer.ts';
import { findPromotion, readLock } from '#read-model/promotions.ts';
import { fortnight } from '#test/domain/gates/_measure.ts';
import { recordExecutionEnd } from '#use-cases/recorder/record-execution-end.ts';
import { open, promote } from './_machine.ts';
import { decides, hear, request, scene } from './_scene.ts';
import { hours, makeRelease, MODEL } from './_environments.ts';

let here: Awaited<ReturnType<typeof scene>>;
beforeEach(async () => {
  here = await scene();
});

/** What must hold after every ending: the lock is free, and the chain is whole. */
async function atRest(): Promise<void> {
  const { prod } = here;
  expect((await readLock(prod.ledger, MODEL))?.promotion ?? null).toBeNull();
  const records = await readRecords(prod.ledger, MODEL, 0);
  const head = await prod.ledger.get(keys.chainHead(MODEL));
  expect(followChain(EMPTY_CHAIN, records)).toEqual({ head: { seq: head?.['seq'], hash: head?.['hash'] } });
}

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

  it('refuses a release whose bytes were changed on the way, before anything is judged', async () => {
    await here.begin();
    const { request: asked, release, well } = await here.candidate('tampered');
    here.staging.releases.objects.set(release, new TextEncoder().encode('{}'));
    const { path } = await promote(here.prod, asked, well);
    expect(path.slice(-4)).toEqual(['Release pulled?', 'Pull was refused', 'Refuse promotion', 'Refused']);
    await atRest();
  });

  it('refuses a release that was changed here after it was pulled', async () => {
    await here.begin();
    const { request: asked, well } = await here.candidate('tampered here');
    const model = digestOf('MODEL tampered here');
    const { path } = await promote(here.prod, asked, {
      ...well,
      before: async (state) => {
        if (state === 'Verify release') here.prod.releases.objects.set(model, new TextEncoder().encode('MODEL evil'));
      },
    });
    expect(path.at(-1)).toBe('Refused');
    expect((await here.prod.chain()).at(-1)?.details).toMatchObject({
      rule: 'gates-passed',
      reasons: [expect.stringContaining('release-integrity: FAIL')],
    });
    await atRest();
  });

  it('refuses what was rolled back here under another digest', async () => {
    await here.begin();
    const bad = await here.candidate('bad#trained on Monday');
    // It was served here, and rolled back.
    expect(await makeRelease(here.prod.releases, 'bad#trained on Monday')).toBe(bad.release);
    const item = { ...keys.quarantine(MODEL, bad.release), release: bad.release, version: '0.1.1' };
    await here.prod.ledger.transact([{ kind: 'put', item }], 'quarantine');
    const again = await here.candidate('bad#trained on Tuesday', { version: '0.1.2', requestSeq: 2 });
    expect(again.release).not.toBe(bad.release);
    const { path } = await promote(here.prod, again.request, again.well);
    expect(path.at(-1)).toBe('Refused');
    expect((await here.prod.chain()).at(-1)?.details).toMatchObject({
      rule: 'gates-passed',
      reasons: [
        expect.stringContaining(
          `was not rolled back under another digest: it has the same operators and weights, and ${bad.release}`,
        ),
      ],
    });
    const other = await here.candidate('good', { version: '0.1.3', requestSeq: 3 });
    expect((await promote(here.prod, other.request, other.well)).path.at(-1)).toBe('Promoted');
  });

  it('refuses when what a rollback would go back to is damaged', async () => {
    await here.begin();
    const { request: asked, well } = await here.candidate('better');
    here.prod.releases.objects.delete(digestOf('MODEL baseline'));
    const { path } = await promote(here.prod, asked, well);
    expect(path.slice(-3)).toEqual(['Rollback target is missing', 'Refuse promotion', 'Refused']);
    await atRest();
  });

  it('refuses when one person turns it down', async () => {
    await here.begin();
    const { request: asked, name, well } = await here.candidate('better');
    const people = async (): Promise<void> => {
      await decides(here.prod, here.control, name, 'lea', 'ml-lead');
      await decides(here.prod, here.control, name, 'pat', 'platform', { decision: 'reject' });
    };
    const { path } = await promote(here.prod, asked, { ...well, people });
    expect(path.slice(-3)).toEqual(['Approval was not given', 'Refuse promotion', 'Refused']);
    await atRest();
  });

  it('refuses when nobody decides in time', async () => {
    await here.begin();
    const { request: asked, well } = await here.candidate('better');
    const { path } = await promote(here.prod, asked, { ...well, people: async () => undefined });
    expect(path.slice(-3)).toEqual(['Approval expired', 'Refuse promotion', 'Refused']);
    await atRest();
  });

  it('refuses by the commit itself what was approved and has expired since', async () => {
    await here.begin();
    const { request: asked, well } = await here.candidate('better');
    const before = async (state: string): Promise<void> => {
      if (state === 'Commit promotion') here.clock.at += hours(25);
    };
    const { path } = await promote(here.prod, asked, { ...well, before });
    expect(path.slice(-3)).toEqual(['Commit was refused', 'Refuse promotion', 'Refused']);
    expect((await here.prod.chain()).at(-1)?.details).toMatchObject({
      rule: 'approval-given',
      reasons: ['missing: 1 of ml-lead, 1 of platform'],
    });
    await atRest();
  });

  it('ends a promotion that was superseded while people were deciding, without an alert', async () => {
    await here.begin();
    const older = await here.candidate('older');
    const newer = await here.candidate('newer', { requestSeq: 2 });
    const people = async (): Promise<void> => {
      await open(here.prod, newer.request, { execution: newer.name });
    };
    const { path } = await promote(here.prod, older.request, { ...older.well, people });
    expect(path.slice(-3)).toEqual(['Approval was not given', 'Refuse promotion', 'Refused']);
    expect(await findPromotion(here.prod.ledger, MODEL, older.name)).toMatchObject({
      status: 'superseded',
      ending: `superseded by ${newer.name}`,
    });
    expect(await here.prod.codes()).not.toContain('PROMOTION_REFUSED');
    expect(await readLock(here.prod.ledger, MODEL)).toMatchObject({ promotion: newer.name });
    expect((await promote(here.prod, newer.request, newer.well)).path.at(-1)).toBe('Promoted');
    await atRest();
  });

  it.each(['Compare with champion', 'Evaluate gates', 'Request approvals', 'Commit promotion'])(
    'ends a promotion that was superseded before "%s", whose late writer changes nothing',
    async (late) => {
      await here.begin();
      const older = await here.candidate('older');
      const newer = await here.candidate('newer', { requestSeq: 2 });
      const before = async (state: string): Promise<void> => {
        if (state === late) await open(here.prod, newer.request, { execution: newer.name });
      };
      const { path, status } = await promote(here.prod, older.request, { ...older.well, before });
      expect(path.at(-1)).toBe('Refused');
      expect(status).toBe('SUCCEEDED');
      expect(await readPointer(here.prod.ledger, MODEL)).toMatchObject({ current: here.baseline });
      expect(await readLock(here.prod.ledger, MODEL)).toMatchObject({ promotion: newer.name });
      expect(await here.prod.codes()).not.toContain('PROMOTION_FAILED');
      expect((await promote(here.prod, newer.request, newer.well)).path.at(-1)).toBe('Promoted');
      await atRest();
    },
  );

  it('goes on from where it was when an answer got lost', async () => {
    await here.begin();
    const made = await here.candidate('better');
    const lost = new Set<string>();
    // Each task is done twice, as if the first answer had not arrived.
    const { path } = await promote(here.prod, made.request, {
      ...made.well,
      after: async (state) => {
        if (lost.has(state)) return;
        lost.add(state);
        throw new Error('the answer got lost');
      },
    });
    expect(path.at(-1)).toBe('Promoted');
    expect(await readPointer(here.prod.ledger, MODEL)).toMatchObject({ current: made.release, seq: 2 });
    const codes = await here.prod.codes();
    expect(codes.filter((code) => code === 'RELEASE_PROMOTED')).toHaveLength(2);
    expect(codes.filter((code) => code === 'EVIDENCE_RECORDED')).toHaveLength(6);
    await atRest();
  });

  it('records a fault after the commit, although the promotion is done', async () => {
    await here.begin();
    const { name } = await here.letIn('better');
    const end = {
      stateMachineArn: 'arn:aws:states:us-east-1:333333333333:stateMachine:gatehouse-prod-promotion',
      name,
      status: 'FAILED',
      input: JSON.stringify({ model: MODEL }),
      cause: 'the promoted release was not served and was rolled back',
    };
    expect(await recordExecutionEnd(here.prod, end)).toEqual({ result: 'committed' });
    expect((await here.prod.chain()).at(-1)).toMatchObject({
      code: 'RUN_FAILED',
      details: { run: name, machine: 'promotion' },
    });
    expect(await findPromotion(here.prod.ledger, MODEL, name)).toMatchObject({ status: 'committed' });
  });
});
